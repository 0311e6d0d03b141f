"""Stand-ins for the objects in a checkpoint that are not tensors: the options of a trainer, paths, dates.

Trainers save them beside the weights. None of their classes is imported and none of their functions is called: each
name in the pickle becomes a class of ours that takes what it is given. A name of the standard library
that no trainer saves as data, such as `subprocess.Popen`, is a program, and the file is rejected.
"""

import builtins
import pickletools
import sys
import zipfile
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Self

import torch

_DATA = frozenset(
    (
        "_codecs", "argparse", "collections", "copyreg", "dataclasses", "datetime", "decimal", "enum", "fractions",
        "functools", "ipaddress", "logging", "numbers", "pathlib", "random", "re", "string", "time", "types", "typing",
        "uuid", "zoneinfo",
    )
)  # fmt: skip
"""Modules of the standard library whose objects trainers save."""

_MODULES = ("_modules", "_parameters")
"""The attributes by which a pickled `torch.nn.Module` is known."""

_OLD_PARTS = 4
"""Pickles in a row in torch's format of before 1.6: a number, a version, the system, the object."""


class _StandIn(type):
    """The class of stand-ins: torch's reader puts items only into a dict, which this claims to be."""

    def __eq__(cls, other: object) -> bool:
        return cls is other or other is dict

    __hash__ = type.__hash__


class Unread(list[Any], metaclass=_StandIn):
    """What stands for an object: of all that it is given it keeps items and attributes by name, as data."""

    held: dict[Any, Any]

    def __new__(cls, *_: object) -> Self:
        """An empty one; a pickle may call the class, or this method alone."""
        made = super().__new__(cls)
        made.held = {}
        return made

    def __init__(self, *_: object) -> None:
        super().__init__()

    @property
    def is_module(self) -> bool:
        """Whether it stands for a `torch.nn.Module`, whose class is a program."""
        return all(name in self.held for name in _MODULES)

    def __setstate__(self, state: object) -> None:
        if isinstance(state, dict):
            self.held.update(state)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.held[key] = value

    def append(self, _: object) -> None:
        """Keep nothing."""

    def extend(self, _: object) -> None:
        """Keep nothing."""

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:  # type: ignore[override]  # a list has none; these may be keys of dicts
        return id(self)


def names_in(path: Path) -> set[str]:
    """The functions and classes that the pickle of a torch file names, in torch's spelling; nothing of it is run.

    Raises:
        ValueError, OSError, zipfile.BadZipFile: it is no such file.
    """
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            return {name for _ in range(_OLD_PARTS) for name in _names(file)}
    with zipfile.ZipFile(path) as archive:
        (member,) = (name for name in archive.namelist() if name.count("/") == 1 and name.endswith("/data.pkl"))
        with archive.open(member) as file:
            return set(_names(file))


def program_in(names: set[str]) -> str | None:
    """The first of the names that only a program needs."""
    return next((name for name in sorted(names) if not _is_data(name)), None)


def standing_in(names: set[str]) -> AbstractContextManager[None]:
    """While it lasts, torch's restricted reader makes an `Unread` of every name."""
    classes: list[Any] = [(_StandIn(name, (Unread,), {}), name) for name in names]
    return torch.serialization.safe_globals(classes)


def _is_data(name: str) -> bool:
    module, _, last = name.rpartition(".")
    if module == "builtins":
        return isinstance(getattr(builtins, last, None), type) or last == "getattr"  # of the members of enums
    root = module.partition(".")[0]
    return root in _DATA or root not in sys.stdlib_module_names


def _names(file: IO[bytes]) -> Iterator[str]:
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name == "GLOBAL":
            module, _, name = str(argument).partition(" ")
            module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
            yield f"{module}.{name}"
