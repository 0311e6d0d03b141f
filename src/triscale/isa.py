"""The instruction set that our compiled kernels are held to, where the environment or an option names one."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from triscale.errors import UsageError
from triscale.machine import ISA, NEEDS, PROC, Isa, features

MARCH: Mapping[Isa, str] = {"avx512": "x86-64-v4", "avx2": "x86-64-v3", "generic": "generic"}
"""What compilers call them: levels of the x86-64 psABI, or none."""


def isa_named(text: str) -> Isa:
    """The instruction set of that name, ours or the compilers'.

    Raises:
        UsageError: there is none.
    """
    found = next((isa for isa, march in MARCH.items() if text.strip().lower() in (isa, march)), None)
    if found is None:
        raise UsageError(f"--march is {text!r}; give generic, x86-64-v3 (AVX2) or x86-64-v4 (AVX-512).")
    return found


def runs_here(isa: Isa, proc: Path = PROC) -> bool:
    """Whether this processor has an instruction set."""
    return NEEDS[isa] <= features(proc)


def wanted_isa(proc: Path = PROC) -> Isa | None:
    """The instruction set that `TRISCALE_ISA` holds our kernels to; None: all the processor has.

    Raises:
        UsageError: there is no such set, or the processor does not have it.
    """
    text = os.environ.get(ISA, "").strip().lower()
    if not text:
        return None
    found = next((isa for isa in NEEDS if isa == text), None)
    if found is None:
        raise UsageError(f"{ISA} is {text!r}; give {', '.join(NEEDS)}, or leave it unset.")
    known = features(proc)
    unknown = not known and platform.machine().lower() in {"x86_64", "amd64"}
    if not unknown and (missing := NEEDS[found] - known):
        raise UsageError(f"{ISA} is {found}, but this processor lacks {min(missing)}; give generic, or leave it unset.")
    return found
