"""The compiled kernels of `kernels/`: built once for this processor by the machine's own C++ compiler, then kept.

They are plain C++ without torch's headers, which compile in seconds; torch's OpenMP threads run them.
"""

import ctypes
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from triscale import compiler
from triscale.compiler import Toolchain, Unavailable, Unit, cache
from triscale.isa import wanted_isa

__all__ = [
    "SWITCH", "Argument", "Unavailable", "available", "build_digest", "cache", "call", "longs", "missing", "unwanted",
]  # fmt: skip

_SOURCES = Path(__file__).parent / "kernels"
_FLAGS = ("-std=c++17", "-fopenmp")
_KINDS = {"p": ctypes.c_void_p, "i": ctypes.c_int, "l": ctypes.c_long, "d": ctypes.c_double}
_SIGNATURES = {  # pointer, int, long, double
    "depthwise_forward": "pipipppppi",
    "depthwise_backward": "pipipppppipppppppppppi",
    "norm_pieces": "pp",
    "norm_moments": "pippi",
    "norm_apply": "piippppppi",
    "norm_gated_sums": "piippppppi",
    "norm_gradient": "piipppppppi",
    "norm_affine": "pippppppi",
    "norm_prepare": "llppppddpppppp",
    "norm_coefficients": "lldppppppppp",
}

Argument = Tensor | int | float | ctypes.Array[ctypes.c_long] | None
Library = dict[str, Callable[..., int]]


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
    """Linked without OpenMP's library: its symbols are then those of torch's copy, and there is one pool of threads."""
    build = _build()
    path = cache() / f"kernels-{build.digest}.so"
    if not path.is_file():
        compiler.build(build.tools, [Unit(_SOURCES / "kernels.cpp")], path)
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
    """The compiler with its flags, and a digest of these, of the sources and of the processor."""

    tools: Toolchain
    digest: str

    @property
    def flags(self) -> tuple[str, ...]:
        return self.tools.flags


@functools.cache
def _build() -> _Build:
    """How the kernels are compiled in this process; torch, too, looks at the environment once."""
    tools = compiler.toolchain(wanted_isa(), *_FLAGS)
    return _Build(tools, compiler.digest(tools, torch.__version__, *compiler.sources(_SOURCES)))
