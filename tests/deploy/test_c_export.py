"""`triscale export --to c`: what it writes is proven, is built by the line it prints, and names torch's classes."""

import ctypes
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import triscale
from tests.cli.conftest import Run
from tests.deploy.networks import NAMES, classifier, saved, small
from tests.runtime.test_compiled_networks import COMPILER, POSSIBLE
from triscale import compiler, isa, runtime
from triscale.data.feed.in_memory import to_tensor
from triscale.deploy import Export, load_exported
from triscale.isa import MARCH
from triscale.machine import NEEDS
from triscale.spec import IMAGENET, preprocessing_to_dict
from triscale.weights import Classifier

pytestmark = COMPILER
BEST = POSSIBLE[-1]
LINE = re.compile(r" *([\d.]+)% (.*) \(class (\d+)\)")
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def made() -> Classifier:
    return classifier(small(depth=0.5))


@pytest.fixture(scope="module")
def written(made: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Export:
    """For the best processor that this one is."""
    return triscale.export(made, tmp_path_factory.mktemp("c") / "net", kind="c", march=MARCH[BEST])


def place_of(export: Export) -> Path:
    return next(iter(export.files)).parent


def built(export: Export, place: Path) -> Path:
    """The example, by the printed line, in a copy of the folder."""
    shutil.copytree(place_of(export), place, dirs_exist_ok=True)
    assert export.build is not None
    for part in export.build.split(" && "):
        subprocess.run(shlex.split(part), cwd=place, check=True)
    return place / "classify"


def ppm(path: Path, pixels: Pixels, comment: str = "") -> Path:
    height, width, _ = pixels.shape
    path.write_bytes(f"P6\n{comment}{width} {height}\n255\n".encode() + pixels.tobytes())
    return path


def drawn(size: tuple[int, int], seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def probabilities(made: Classifier, pixels: Pixels) -> torch.Tensor:
    how = made.preprocessing
    return made.logits(to_tensor(pixels[None], how.mean, how.std))[0].softmax(0)


def agreement(program: Path, made: Classifier, image: Path, pixels: Pixels) -> list[str]:
    """Lines of the example that are not what torch says."""
    done = subprocess.run([program, image], capture_output=True, check=True)
    lines, wanted = done.stdout.decode().splitlines(), probabilities(made, pixels)
    assert len(lines) == len(NAMES)
    order = wanted.argsort(descending=True).tolist()
    return [
        line
        for line, index in zip(lines, order, strict=True)
        if (found := LINE.fullmatch(line)) is None
        or (found[2], int(found[3])) != (NAMES[index], index)
        or abs(float(found[1]) - 100 * float(wanted[index])) > 0.051
    ]


def test_the_printed_line_builds_a_program_that_names_torchs_classes(
    made: Classifier, written: Export, tmp_path: Path
) -> None:
    """The example on images of its size, and a line for each that it rejects."""
    program, pixels = built(written, tmp_path), drawn((24, 24))
    assert agreement(program, made, ppm(tmp_path / "a.ppm", pixels), pixels) == []
    assert agreement(program, made, ppm(tmp_path / "b.ppm", pixels, "# of GIMP\n#\n"), pixels) == []
    large, short = ppm(tmp_path / "large.ppm", drawn((48, 24))), tmp_path / "short.ppm"
    short.write_bytes((tmp_path / "a.ppm").read_bytes()[:-1])
    for image, words in ((large, "is 24x48; give 24x24"), (short, "is cut short"), (tmp_path / "none", "a PPM file")):
        done = subprocess.run([program, image], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr
        assert done.stderr.count("\n") == 1


def test_the_folder_carries_lock_and_proof(made: Classifier, written: Export) -> None:
    found = triscale.deploy.about.about_from((place_of(written) / "about.json").read_text(encoding="utf-8"), Path("x"))
    assert (found.network, found.classes) == (made.network, made.classes)
    how = replace(made.preprocessing, resolution=made.resolution)
    assert preprocessing_to_dict(found.preprocessing) == preprocessing_to_dict(how)
    assert found.proof["runtime"].endswith(BEST)
    assert found.proof["agreed"] == found.proof["decided"] > 90
    assert str(written.proof) in (place_of(written) / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("channels", [3, 1])
def test_pixels_become_the_bits_that_training_gives_them(channels: int, tmp_path: Path) -> None:
    """The oracle is `to_tensor`, in colours and in grey."""
    net = replace(small(depth=0.5), input_channels=channels)
    how = IMAGENET.for_channels(channels)
    path = tmp_path / "net.so"
    triscale.export(classifier(net, how), path)
    library, found = ctypes.CDLL(str(path)), np.empty((channels, *net.resolution), np.float32)
    for seed in range(100):
        pixels = drawn(net.resolution, seed)
        pointers = (ctypes.c_void_p(array.ctypes.data) for array in (pixels, found))
        assert library.triscale_prepare(*pointers) == 0
        assert np.array_equal(found, to_tensor(pixels[None], how.mean, how.std)[0].numpy())
    library.triscale_class.restype = ctypes.c_char_p
    assert [library.triscale_class(n) for n in range(-1, 6)] == [None, *(name.encode() for name in NAMES), None]


def test_a_library_without_a_lock_prepares_nothing() -> None:
    from triscale.layer_weights import RandomWeights

    built = runtime.library(small(depth=0.5), RandomWeights(0))
    library, found = ctypes.CDLL(str(built)), np.empty((3, 24, 24), np.float32)
    pointers = (ctypes.c_void_p(array.ctypes.data) for array in (drawn((24, 24)), found))
    assert library.triscale_prepare(*pointers) == -1
    library.triscale_class.restype = ctypes.c_char_p
    assert library.triscale_class(0) is None


def test_a_folder_is_replaced_where_it_holds_an_export_alone(made: Classifier, written: Export, tmp_path: Path) -> None:
    place = tmp_path / "net"
    shutil.copytree(place_of(written), place)
    (place / "README.md").write_text("another", encoding="utf-8")
    again = triscale.export(made, place, kind="c", march=MARCH[BEST])
    assert {path.name: path.read_bytes() for path in again.files} == {
        path.name: path.read_bytes() for path in written.files
    }
    (place / "mine.c").touch()
    with pytest.raises(triscale.errors.OutputError, match=r"other files, such as mine\.c"):
        triscale.export(made, place, kind="c")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["net"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--to", "c", "--out", "x", "--batch", "2"), 64, "leave --batch out"),
        (("--to", "c", "--out", "x", "--dynamic-size"), 64, "leave --dynamic-size out"),
        (("--to", "c", "--out", "x", "--precision", "int8", "--data", "flowers:240"), 64, "leave --precision"),
        (("--to", "c", "--out", "x", "--march", "x86-64-v5"), 64, "x86-64-v3 (AVX2)"),
        (("--to", "c", "--out", "none/x"), 73, "does not exist"),
        (("--to", "c", "--out", "weights"), 73, "other files"),
        (("--out", "x"), 64, "--to c"),
        (("--out", "x.onnx", "--march", "generic"), 64, "for compiled code"),
        (("--out", "x", "--engine", "auto", "--march", "generic"), 64, "other processors"),
    ],
)
def test_options_that_cannot_be_leave_nothing(
    run: Run, made: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...], code: int, words: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").mkdir()
    weights = saved(tmp_path / "weights" / "w.safetensors", made)
    answer = run("export", weights, *arguments)
    assert (answer.code, answer.out) == (code, "")
    assert words in answer.err
    assert len(answer.err.splitlines()) <= 3
    assert [one.name for one in tmp_path.iterdir()] == ["weights"]


@pytest.mark.parametrize("to", [("--out", "x.so"), ("--to", "c", "--out", "x")])
def test_without_a_compiler_the_package_to_install_is_named(
    run: Run, made: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: tuple[str, ...]
) -> None:
    """With an empty PATH."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    answer = run("export", saved(tmp_path / "w.safetensors", made), *to)
    assert (answer.code, answer.out) == (65, "")
    assert "there is no C++ compiler" in answer.err
    assert "apt install g++" in answer.err
    assert len(answer.err.splitlines()) <= 3
    assert [one.name for one in tmp_path.iterdir()] == ["w.safetensors"]


def test_benchmark_names_it_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    answer = run("benchmark", "smallnet_24", "--engine", "native", "--rounds", "2")
    assert answer.code == 65
    assert "apt install g++" in answer.err


def test_a_library_for_other_processors_says_so_and_gives_the_same_answers(made: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "net.so"
    export = triscale.export(made, path, march="generic")
    assert export.proof.runtime.endswith("generic")
    found, images = load_exported(path), torch.randn(2, 3, 24, 24)
    assert runtime.open(path).isa == "generic"
    assert (found.logits(images) - made.logits(images)).abs().max() <= 1e-4


@pytest.mark.skipif("avx512" not in POSSIBLE, reason="the file is opened in the end, which takes AVX-512")
def test_what_this_processor_lacks_is_proven_by_a_stand_in_which_is_said(
    made: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a processor with AVX2: code for AVX-512 is written, proven in AVX2, and the file tells."""
    monkeypatch.setattr(isa, "features", lambda _proc=None: NEEDS["avx2"])
    path = tmp_path / "net.so"
    export = triscale.export(made, path, march="x86-64-v4")
    assert export.proof.runtime.endswith("avx2")
    assert load_exported(path).about.proof["runtime"].endswith("avx2")
    assert runtime.open(path).isa == "avx512"
    folder = triscale.export(made, tmp_path / "c", kind="c", march="x86-64-v4")
    text = (place_of(folder) / "README.md").read_text(encoding="utf-8")
    assert "Not proven, since the processor there lacks it: avx512." in text
    assert export.proof.holds


def test_a_size_that_replaces_the_networks_is_compiled_for(made: Classifier, tmp_path: Path) -> None:
    """The library is for the lock's size, whatever the spec says."""
    other = made.held_to({}, {"resolution": (31, 24)})
    path = tmp_path / "net.so"
    triscale.export(other, path)
    images = torch.randn(2, 3, 31, 24)
    assert (load_exported(path).logits(images) - other.logits(images)).abs().max() <= 1e-4
    assert runtime.open(path).network.resolution == (31, 24)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is missing")
def test_cmake_builds_it_for_every_processor_that_this_one_is(run: Run, made: Classifier, tmp_path: Path) -> None:
    """Also as a shared library; the JSON has the line, and every instruction set was proven."""
    weights, place = saved(tmp_path / "w.safetensors", made), tmp_path / "c"
    document = run("export", weights, "--to", "c", "--out", place, "--json").json
    assert document["proof"]["runtime"].endswith(", ".join(reversed(POSSIBLE)))
    assert "-march=native" in document["build"]
    pixels = drawn((24, 24))
    image = ppm(tmp_path / "a.ppm", pixels)
    for options in ((), *((f"-DTRISCALE_ISA={one}", "-DBUILD_SHARED_LIBS=ON") for one in POSSIBLE)):
        build = tmp_path / f"build{len(list(tmp_path.iterdir()))}"
        subprocess.run(["cmake", "-B", build, "-S", place, *options], check=True, capture_output=True)
        subprocess.run(["cmake", "--build", build], check=True, capture_output=True)
        assert agreement(build / "classify", made, image, pixels) == []
    wrong = ["cmake", "-B", str(tmp_path / "wrong"), "-S", str(place), "-DTRISCALE_ISA=avx3"]
    done = subprocess.run(wrong, check=False, capture_output=True, text=True)
    assert "TRISCALE_ISA is avx3; give native, avx512, avx2, generic" in done.stderr


def test_the_compilers_advice_is_the_doctors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(compiler.Unavailable) as caught:
        compiler.toolchain(None)
    assert caught.value.advice == compiler.INSTALL
