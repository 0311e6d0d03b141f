"""A network as C++ for another machine: the bits of the library, by one line of a compiler, with nothing but libc."""

import hashlib
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.nn.networks import TINY
from tests.runtime.test_compiled_networks import COMPILER, POSSIBLE, images_for, needed_by
from tests.runtime.test_from_c import PROGRAM
from triscale import runtime
from triscale.layer_weights import RandomWeights
from triscale.machine import Isa
from triscale.runtime import amalgamation
from triscale.runtime.c_folder import FLAGS

pytestmark = COMPILER
NET = TINY["mbconv_se"]
LIBC = {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a network with random weights, for every instruction set."""
    made = tmp_path_factory.mktemp("c")
    code = runtime.code_of(NET, RandomWeights(0), runtime.LANES)
    for name, content in runtime.folder_files(code, runtime.lock_text(NET)).items():
        (made / name).write_bytes(content)
    return made


def copied(folder: Path, place: Path) -> Path:
    return Path(shutil.copytree(folder, place / "copy"))


def compiled(folder: Path, *march: str) -> "subprocess.CompletedProcess[str]":
    """The object, by the flags of the printed line."""
    command = ["g++", *FLAGS, *march, "-c", "triscale_net.cpp"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def march_of(isa: Isa) -> list[str]:
    return [] if isa == "generic" else [amalgamation.march_flag(isa)]


@pytest.mark.parametrize(
    "isa", [pytest.param(isa, marks=[] if isa == POSSIBLE[-1] else pytest.mark.slow) for isa in POSSIBLE]
)
def test_a_program_gives_the_bits_of_the_library(folder: Path, tmp_path: Path, isa: Isa) -> None:
    """The oracle is the library of the same instruction set, loaded from Python."""
    place, images = copied(folder, tmp_path), images_for(NET, 2)
    assert compiled(place, *march_of(isa)).stderr == ""
    (place / "main.c").write_text(PROGRAM, encoding="utf-8")
    strict = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"]
    link = ["gcc", *strict, "main.c", "triscale_net.o", "-o", "main", "-pthread", "-lm"]
    subprocess.run(link, cwd=place, check=True)
    done = subprocess.run([str(place / "main")], input=images.tobytes(), capture_output=True, check=True)
    assert done.stdout == runtime.open(runtime.library(NET, RandomWeights(0), isa=isa))(images).tobytes()
    assert needed_by(place / "main") <= LIBC


def test_the_printed_line_builds_the_example_without_a_warning(folder: Path, tmp_path: Path) -> None:
    place = copied(folder, tmp_path)
    line = runtime.compiler_line(tuple(runtime.LANES))
    assert line in (place / "README.md").read_text(encoding="utf-8")
    for part in line.split(" && "):
        done = subprocess.run(shlex.split(part), cwd=place, capture_output=True, text=True, check=True)
        assert done.stderr == ""
    assert needed_by(place / "classify") <= LIBC
    refused = subprocess.run([place / "classify", "README.md"], cwd=place, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr) == (1, "give a PPM file (P6) of 8 bits\n")


def test_weights_that_were_cut_short_do_not_compile(folder: Path, tmp_path: Path) -> None:
    place = copied(folder, tmp_path)
    weights = place / "weights_generic.bin"
    weights.write_bytes(weights.read_bytes()[:-64])
    done = compiled(place)
    assert done.returncode != 0
    assert "invalid for file size" in done.stderr


def test_another_compilers_cut_short_weights_are_found_when_an_instance_is_made(folder: Path, tmp_path: Path) -> None:
    """Some assemblers take fewer bytes without a word: so the length is compared again."""
    place = copied(folder, tmp_path)
    weights, source = place / "weights_generic.bin", place / "triscale_net.cpp"
    weights.write_bytes(weights.read_bytes()[:-64])
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace('\\", 0, " #bytes "\\n"', '\\"\\n"'), encoding="utf-8")
    assert compiled(place).stderr == ""
    (place / "main.c").write_text(
        '#include "triscale_net.h"\nint main(void) { triscale_net* net; return -triscale_create(1, 1, &net); }\n',
        encoding="utf-8",
    )
    subprocess.run(["gcc", "main.c", "triscale_net.o", "-o", "main", "-pthread"], cwd=place, check=True)
    assert subprocess.run([place / "main"], check=False).returncode == 5  # TRISCALE_DAMAGED


def test_the_list_of_digests_is_that_of_the_files(folder: Path) -> None:
    """As sha256sum reads it."""
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    found = {line.partition("  ")[2]: line.partition("  ")[0] for line in lines}
    others = [path for path in folder.iterdir() if path.name != "SHA256SUMS"]
    assert found == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in others}


def test_flags_for_a_processor_that_was_not_exported_for_name_those_that_were(tmp_path: Path) -> None:
    code = runtime.code_of(NET, RandomWeights(0), ["avx2"])
    for name, content in runtime.folder_files(code, runtime.lock_text(NET)).items():
        (tmp_path / name).write_bytes(content)
    done = compiled(tmp_path)
    assert done.returncode != 0
    assert "give -march=x86-64-v3" in done.stderr
    assert not (tmp_path / "weights_generic.bin").exists()
    assert "-march=native" not in (tmp_path / "README.md").read_text(encoding="utf-8")
