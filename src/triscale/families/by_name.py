"""The registry of names: every network that triscale knows without a file."""

import difflib
from fnmatch import fnmatchcase
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from triscale.errors import UsageError
from triscale.families import amoebanet, efficientnet, efficientnetv2, mnasnet, mobilenet, resnet, senet, smallnet
from triscale.spec import Network

if TYPE_CHECKING:
    from collections.abc import Mapping

_FAMILIES = {
    "efficientnet": efficientnet,
    "efficientnetv2": efficientnetv2,
    "mobilenet": mobilenet,
    "mnasnet": mnasnet,
    "resnet": resnet,
    "senet": senet,
    "amoebanet": amoebanet,
    "smallnet": smallnet,
}


@cache
def registry() -> "Mapping[str, tuple[str, Network]]":
    """Name -> (family, network), in the order of the families' tables."""
    return MappingProxyType(
        {network.name: (family, network) for family, room in _FAMILIES.items() for network in room.networks()}
    )


def matching(pattern: str) -> list[str]:
    """The names that match a pattern of `*`, `?` and `[...]`, in the order of the families' tables.

    Raises:
        UsageError: none does; the message says which pattern would, or the nearest names.
    """
    if not isinstance(pattern, str):
        raise UsageError(f"{pattern!r} is not a pattern; give a text such as 'resnet*'.")
    found = [name for name in registry() if fnmatchcase(name, pattern)]
    if found:
        return found
    word = pattern.strip("*").lower()
    wider = next((one for one in (f"{word}*", f"*{word}*") if any(fnmatchcase(name, one) for name in registry())), None)
    near = [repr(wider)] if word and wider else difflib.get_close_matches(word, registry(), 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "'*' matches all."
    raise UsageError(f"no network matches {pattern!r}: {hint}")


def network(name: str) -> Network:
    """The registered network of that name.

    Raises:
        UsageError: no such name; the message holds the nearest ones.
    """
    if name in registry():
        return registry()[name][1]
    near = difflib.get_close_matches(name.lower(), registry(), 3, 0.5)
    hint = (
        f"did you mean {' or '.join(near)}?"
        if near
        else "`triscale networks` lists them; a spec file (.json) works too."
    )
    raise UsageError(f"unknown network {name!r}: {hint}")
