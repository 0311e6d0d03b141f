"""The instruction set that our compiled kernels are held to, where the environment names one."""

import os
import platform
from pathlib import Path

from triscale.errors import UsageError
from triscale.machine import ISA, NEEDS, PROC, Isa, features


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
