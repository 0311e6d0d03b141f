"""A library on a processor that it was not compiled for, of another version, or without memory: one error, no crash."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.test_c_folder import NET, compiled, copied, folder
from tests.runtime.test_compiled_networks import COMPILER, POSSIBLE
from triscale import runtime
from triscale.errors import InputError
from triscale.layer_weights import RandomWeights
from triscale.runtime.c_folder import FLAGS
from triscale.runtime.instance import loaded_library
from triscale.seal import OPEN, sealed

__all__ = ["folder"]
pytestmark = COMPILER
CREATE = '#include "triscale_net.h"\nint main(void) { triscale_net* net; return -triscale_create(1, 1, &net); }\n'
WRONG_PROCESSOR = 3
CHECKED = (
    "triscale_abi", "triscale_isa", "triscale_about", "triscale_shape", "triscale_class", "triscale_create",
    "triscale_prepare", "triscale_profile", "_ZL16has_instructionsv",
)  # fmt: skip
"""What runs before the check, or is the check."""
ANY_VECTOR = re.compile(
    r"%[xyz]mm\d|%k[0-7]\b|\b(?:andn|bextr|blsi|blsr|bzhi|mulx|pdep|pext|rorx|sarx|shlx|shrx|lzcnt)\b"
)
"""Registers and instructions that a processor of 2003 does not have."""


@pytest.mark.skipif("avx512" not in POSSIBLE, reason="this processor has no AVX-512, so nothing is refused beside it")
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind, which stands for an AVX2 processor, is missing")
def test_a_processor_without_avx512_gets_an_error_and_not_a_crash(tmp_path: Path) -> None:
    """That of valgrind has AVX2 and no more, says so by cpuid, and stops a program at what it does not know."""
    wide, narrow = (runtime.library(NET, RandomWeights(0), isa=isa) for isa in ("avx512", "avx2"))
    (tmp_path / "main.c").write_text(CREATE, encoding="utf-8")
    header = Path(runtime.__file__).parent / "kernels"
    codes = []
    for built in (wide, narrow):
        subprocess.run(["gcc", f"-I{header}", "main.c", str(built), "-o", "main"], cwd=tmp_path, check=True)
        codes.append(subprocess.run(["valgrind", "-q", "--tool=none", tmp_path / "main"], check=False).returncode)
    assert codes == [WRONG_PROCESSOR, 0]


def test_an_instance_on_another_processor_is_refused_in_one_line(folder: Path, tmp_path: Path) -> None:
    """The compiler's question for a feature answers no, as on a processor that has none."""
    isa = next((one for one in POSSIBLE if one != "generic"), None)
    if isa is None:
        pytest.skip("this processor has the baseline alone, which nothing lacks")
    place = copied(folder, tmp_path)
    march = {"avx2": "x86-64-v3", "avx512": "x86-64-v4"}[isa]
    command = ["g++", *FLAGS, f"-march={march}", "-D__builtin_cpu_supports(feature)=false", "-shared", "-fPIC"]
    subprocess.run([*command, "triscale_net.cpp", "-o", "net.so"], cwd=place, check=True)
    with pytest.raises(InputError, match=rf"this processor lacks the instructions \({isa}\)") as caught:
        loaded_library(place / "net.so").instance()
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(shutil.which("objdump") is None, reason="objdump is missing")
def test_nothing_but_plain_instructions_runs_before_the_check(folder: Path, tmp_path: Path) -> None:
    """Although the whole file is compiled for this processor."""
    place = copied(folder, tmp_path)
    assert compiled(place, "-march=native").stderr == ""
    listing = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", "triscale_net.o"], cwd=place, capture_output=True, text=True, check=True
    )
    functions = dict(re.findall(r"^[0-9a-f]+ <(\w+)>:\n((?:.+\n)+)", listing.stdout, re.MULTILINE))
    assert [name for name in CHECKED if ANY_VECTOR.search(functions[name])] == []
    assert any(ANY_VECTOR.search(code) for code in functions.values())


def test_a_library_of_another_version_is_refused_before_anything_else_of_it_runs(tmp_path: Path) -> None:
    """It has one function, which says so, and a seal."""
    (tmp_path / "net.c").write_text(
        f'const char lock[] = "{OPEN.decode()}";\nint triscale_abi(void) {{ return 2; }}\n', encoding="utf-8"
    )
    subprocess.run(["gcc", "-shared", "-fPIC", "net.c", "-o", "net.so"], cwd=tmp_path, check=True)
    path = tmp_path / "net.so"
    path.write_bytes(sealed(path.read_bytes()))
    with pytest.raises(InputError, match="another version of triscale; export the network again"):
        runtime.open(path, trust=True)


WITHOUT_MEMORY = """
import resource, sys
from triscale import runtime
from triscale.errors import OutOfMemoryError
from pathlib import Path
path = Path(sys.argv[1])
library = runtime.library_of(path.read_bytes(), path)
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 16 * 2**20, resource.RLIM_INFINITY))
for attempt in range(20):
    try:
        library.instance(threads=256)
    except OutOfMemoryError as error:
        print(error)
library.instance(threads=8)
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() // 2, resource.RLIM_INFINITY))
try:
    runtime.open(path)
except OutOfMemoryError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is limited as Linux does it")
def test_too_little_memory_is_an_error_and_what_was_taken_is_given_back() -> None:
    """Twenty times in a row, in a process that may have 16 MB more; then eight still find their own memory."""
    built = runtime.library(NET, RandomWeights(0))
    done = subprocess.run([sys.executable, "-c", WITHOUT_MEMORY, built], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("there is not enough memory for the maps of the network, or for 256 threads.") == 20
    assert f"there is not enough memory to load {built}" in done.stdout
