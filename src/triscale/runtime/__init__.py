"""Inference as code that is made for one network: planned, packed, emitted as C++, compiled, and opened from Python."""

from triscale.runtime.arena import Plan, plan
from triscale.runtime.c_folder import SUMS, Code, code_of, compiler_line, folder_files, opened_folder
from triscale.runtime.instance import NativeLibrary, NativeNetwork, library_of, open  # noqa: A004  read as `runtime.open`
from triscale.runtime.making import LANES, best_isa, library, lock_text, planned

__all__ = [
    "LANES",
    "SUMS",
    "Code",
    "NativeLibrary",
    "NativeNetwork",
    "Plan",
    "best_isa",
    "code_of",
    "compiler_line",
    "folder_files",
    "library",
    "library_of",
    "lock_text",
    "open",
    "opened_folder",
    "plan",
    "planned",
]
