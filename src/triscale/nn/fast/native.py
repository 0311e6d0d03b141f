"""The compiled kernels of `kernels/`: built once for this processor by the machine's own C++ compiler, then kept.

They are plain C++ without torch's headers, which compile in seconds; torch's OpenMP threads run them.
"""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from triscale import files
from triscale.isa import wanted_isa
from triscale.machine import Isa, features, machine

_SOURCES = Path(__file__).parent / "kernels"
_COMPILERS = ("g++", "c++")
_FLAGS = (
    "-std=c++17", "-O3", "-fopenmp", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi",
)  # fmt: skip
_WIDE = "-mprefer-vector-width=512"
_ISA_FLAGS: dict[Isa | None, tuple[str, ...]] = {
    None: ("-march=native", _WIDE),
    "avx512": ("-march=x86-64-v4", _WIDE),
    "avx2": ("-march=x86-64-v3",),
    "generic": (),
}
"""By the instruction set that the kernels are held to; without one they take all that the processor has."""
_KINDS = {"p": ctypes.c_void_p, "i": ctypes.c_int, "l": ctypes.c_long, "d": ctypes.c_double}
_SIGNATURES = {  # pointer, int, long, double
    "depthwise_forward": "pipipppppi",
    "depthwise_backward": "pipippppppppppppi",
    "norm_pieces": "pp",
    "norm_moments": "pippi",
    "norm_apply": "piippppppi",
    "norm_gate_gradient": "piipppppi",
    "norm_gradient": "piipppppppppi",
    "norm_affine": "pippppppi",
    "norm_prepare": "llppppddpppppp",
    "norm_coefficients": "lldppppppppp",
}

Argument = Tensor | int | float | ctypes.Array[ctypes.c_long] | None
Library = dict[str, Callable[..., int]]


class Unavailable(Exception):  # noqa: N818  a state, not a user's mistake
    """There are no kernels here; says why."""


def available() -> bool:
    """Whether the kernels are there, or can be compiled; the first question may take some seconds."""
    return missing() is None


SWITCH = "TRISCALE_KERNELS"
"""A variable of the environment: `off` leaves all to torch."""


def unwanted() -> bool:
    """Whether all is to be left to torch."""
    return os.environ.get(SWITCH) == "off"


def missing() -> str | None:
    """Why there are no kernels; None where there are.

    Raises:
        UsageError: `TRISCALE_ISA` names what there is not, or what this processor does not have.
    """
    return f"{SWITCH} is off" if unwanted() else _missing()


@functools.cache
def _missing() -> str | None:
    try:
        _library()
    except Unavailable as error:
        return str(error)
    return None


def call(name: str, *arguments: Argument) -> int:
    """Run a kernel; a tensor stands for its address."""
    given = [one.data_ptr() if isinstance(one, Tensor) else one for one in arguments]
    return _library()[name](*given)


def longs(*values: int) -> "ctypes.Array[ctypes.c_long]":
    """An array of C's long: how a kernel gets sizes."""
    return (ctypes.c_long * len(values))(*values)


def build_digest() -> str:
    """Of all that decides a kernel's bits: sources, flags with the instruction set, compiler, processor."""
    return _build().digest


@functools.cache
def _library() -> Library:
    build = _build()
    path = cache() / f"kernels-{build.digest}.so"
    if not path.is_file():
        _compile(build, path)
    try:
        loaded = ctypes.CDLL(str(path))
    except OSError as error:
        raise Unavailable(f"the compiled kernels cannot be loaded: {error}") from None
    library: Library = {}
    for name, kinds in _SIGNATURES.items():
        function = getattr(loaded, name)
        function.argtypes = [_KINDS[kind] for kind in kinds]
        function.restype = ctypes.c_long if name == "norm_pieces" else None
        library[name] = function
    return library


class _Build(NamedTuple):
    """The compiler, its flags, and a digest of these, of the sources and of the processor."""

    compiler: str
    flags: tuple[str, ...]
    digest: str


@functools.cache
def _build() -> _Build:
    """How the kernels are compiled in this process; torch, too, looks at the environment once."""
    compiler = next((found for name in _COMPILERS if (found := shutil.which(name))), None)
    if sys.platform == "win32" or compiler is None:
        raise Unavailable("there is no C++ compiler (g++) here")
    flags = (*_FLAGS, *_ISA_FLAGS[wanted_isa()])
    version = _run([compiler, "--version"]).stdout
    processor = [str(machine()["cpu"]), platform.machine(), *sorted(features())]
    text = [version, *processor, torch.__version__, *flags]
    text += [path.read_text(encoding="utf-8") for path in sorted(_SOURCES.iterdir()) if path.suffix in {".h", ".cpp"}]
    return _Build(compiler, flags, hashlib.sha256("\0".join(text).encode()).hexdigest()[:16])


def cache() -> Path:
    """Where compiled kernels and measured plans are kept."""
    folder = files.cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"the cache folder {str(folder)!r} cannot be made: {error.strerror}") from None
    return folder


def _compile(build: _Build, path: Path) -> None:
    """Linked without OpenMP's library: its symbols are then those of torch's copy, and there is one pool of threads."""
    try:
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            part, whole = Path(scratch) / "kernels.o", Path(scratch) / path.name
            source = str(_SOURCES / "kernels.cpp")
            command = [build.compiler, *build.flags, "-c", source, "-o", str(part)]
            if _run(command).returncode:  # a compiler, or a processor, that knows no such preference
                _checked(_run([flag for flag in command if flag != _WIDE]))
            _checked(_run([build.compiler, "-shared", str(part), "-o", str(whole)]))
            whole.replace(path)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"the kernels cannot be compiled: {error}") from None


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603  the compiler, our sources


def _checked(done: "subprocess.CompletedProcess[str]") -> None:
    if done.returncode:
        raise Unavailable(f"the C++ compiler failed: {(done.stderr.splitlines() or ['no message'])[0]}")
