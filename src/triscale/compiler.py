"""The machine's own C++ compiler: which one, its flags for an instruction set, and libraries built once and kept."""

import functools
import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from triscale import files
from triscale.machine import Isa, features, machine

_COMPILERS = ("g++", "c++")
_LINKERS = ("gcc", "cc")
_FLAGS = ("-O3", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi")
_WIDE = "-mprefer-vector-width=512"
_ISA_FLAGS: dict[Isa | None, tuple[str, ...]] = {
    None: ("-march=native", _WIDE),
    "avx512": ("-march=x86-64-v4", _WIDE),
    "avx2": ("-march=x86-64-v3",),
    "generic": (),
}
"""By the instruction set that code is held to; without one it takes all that the processor has."""
VECTORS = Path(__file__).parent / "vectors"
"""The vocabulary of vectors that all our C++ is written in; every file that is compiled finds its headers."""
_DIGITS = 16
_SECONDS = 600


INSTALL = "install g++ (Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++; conda: conda install gxx)"
"""What to do where there is no compiler."""


class Unavailable(Exception):  # noqa: N818  a state, not a user's mistake
    """Nothing can be compiled here; says why.

    Attributes:
        advice: what to do; "" where nothing helps that we know.
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.advice = advice


class Toolchain(NamedTuple):
    """A compiler with its flags.

    Attributes:
        compiler: of C++; it also links where `linker` is None.
        flags: of every file.
        linker: of C, which brings in no library of C++.
    """

    compiler: str
    flags: tuple[str, ...]
    linker: str | None = None


class Unit(NamedTuple):
    """One file to compile; `flags` go beyond those of the toolchain, `kept` is where what was compiled is kept."""

    source: Path
    flags: tuple[str, ...] = ()
    kept: Path | None = None


def toolchain(isa: Isa | None, *flags: str, plain_c: bool = False) -> Toolchain:
    """The compiler of this machine with flags for an instruction set, and further ones.

    Args:
        isa: that the code is held to; None: all that this processor has.
        flags: beside those that all our code is compiled with.
        plain_c: link with a compiler of C.

    Raises:
        Unavailable: there is none.
    """
    compiler = _found(_COMPILERS)
    linker = _found(_LINKERS) if plain_c else None
    if sys.platform == "win32" or compiler is None or (plain_c and linker is None):
        raise Unavailable("there is no C++ compiler (g++) here", INSTALL)
    return Toolchain(compiler, (*flags, *_FLAGS, *_ISA_FLAGS[isa]), linker)


def _found(names: Iterable[str]) -> str | None:
    return next((found for name in names if (found := shutil.which(name))), None)


def digest(tools: Toolchain, *parts: str | bytes) -> str:
    """Of all that decides the bits of compiled code: compiler, flags, processor, vectors, and the given parts."""
    processor = [str(machine()["cpu"]), platform.machine(), *sorted(features())]
    text = "\0".join([_version(tools.compiler), *processor, *tools.flags])
    whole = hashlib.sha256(text.encode())
    for part in (*sources(VECTORS), *parts):
        whole.update(b"\0" + (part.encode() if isinstance(part, str) else part))
    return whole.hexdigest()[:_DIGITS]


@functools.cache
def _version(compiler: str) -> str:
    return _run([compiler, "--version"]).stdout


def sources(folder: Path) -> list[str]:
    """The text of all headers and sources of a folder, in the order of their names: parts of a digest."""
    return [path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()) if path.suffix in {".h", ".cpp"}]


def cache() -> Path:
    """Where what was compiled and measured is kept.

    Raises:
        Unavailable: it cannot be made.
    """
    folder = files.cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"the cache folder {str(folder)!r} cannot be made: {error.strerror}") from None
    return folder


def build(tools: Toolchain, units: Iterable[Unit], path: Path) -> None:
    """Compile files and link them into a library at `path`, which is there whole or not at all.

    Raises:
        Unavailable: the compiler failed, or took more than ten minutes.
    """
    try:
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            whole = Path(scratch) / path.name
            parts = [_compiled(tools, unit, Path(scratch)) for unit in units]
            linker = [tools.linker, "-Wl,--as-needed", "-pthread"] if tools.linker else [tools.compiler]
            _checked(_run([*linker, "-shared", *map(str, parts), "-o", str(whole)]))
            whole.replace(path)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"the kernels cannot be compiled: {error}") from None


def _compiled(tools: Toolchain, unit: Unit, folder: Path) -> Path:
    if unit.kept is not None and unit.kept.is_file():
        return unit.kept
    part = folder / f"{unit.source.stem}.o"
    command = [tools.compiler, *tools.flags, *unit.flags, f"-I{VECTORS}", "-c", str(unit.source), "-o", str(part)]
    if _run(command).returncode:  # a compiler, or a processor, that knows no such preference
        _checked(_run([flag for flag in command if flag != _WIDE]))
    return part if unit.kept is None else part.replace(unit.kept)


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)  # noqa: S603  the compiler, our sources


def _checked(done: "subprocess.CompletedProcess[str]") -> None:
    if done.returncode:
        lines = done.stderr.splitlines() or ["no message"]
        raise Unavailable(f"the C++ compiler failed: {next((line for line in lines if 'error' in line), lines[0])}")
