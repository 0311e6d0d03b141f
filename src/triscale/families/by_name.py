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


_SMALL: "Mapping[int, str]" = MappingProxyType(
    {24: "smallnet_24", 32: "smallnet_32", 48: "smallnet_48", 80: "smallnet_64"}
)
"""Side of images up to which a baseline is made for them."""


def small_baseline(side: int) -> str | None:
    """The baseline that is made for images of this side in pixels; None for larger images."""
    return next((name for most, name in _SMALL.items() if side <= most), None)


@cache
def registry() -> "Mapping[str, tuple[str, Network]]":
    """Name -> (family, network), in the order of the families' tables."""
    return MappingProxyType(
        {network.name: (family, network) for family, room in _FAMILIES.items() for network in room.networks()}
    )


@cache
def _spellings() -> "Mapping[str, str]":
    """Letters and digits of a name, and the short names of the paper's family -> the name."""
    whole = {_spelled(name): name for name in registry()}
    short = {name.removeprefix("efficientnet_"): name for name in registry() if name.startswith("efficientnet_b")}
    return MappingProxyType({**whole, **short})


def _spelled(name: str) -> str:
    """Without what people write in several ways: upper case, hyphens, underscores and spaces."""
    return name.lower().translate({ord(one): None for one in "-_ "})


def full_name(name: str) -> str:
    """The registered name that people spell in several ways: `B4` and `EfficientNet-B4` give `efficientnet_b4`.

    A name that is no spelling of a registered one comes back as it is.
    """
    return name if name in registry() else _spellings().get(_spelled(name), name)


def matching(pattern: str) -> list[str]:
    """The names that match a pattern of `*`, `?` and `[...]`, in the order of the families' tables.

    Raises:
        UsageError: none does; the message says which pattern would, or the nearest names.
    """
    if not isinstance(pattern, str):
        raise UsageError(f"{pattern!r} is not a pattern; give a text such as 'resnet*'.")
    found = [name for name in registry() if fnmatchcase(name, full_name(pattern))]
    if found:
        return found
    word = pattern.strip("*").lower()
    wider = next((one for one in (f"{word}*", f"*{word}*") if any(fnmatchcase(name, one) for name in registry())), None)
    near = [repr(wider)] if word and wider else difflib.get_close_matches(word, registry(), 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "'*' matches all."
    raise UsageError(f"no network matches {pattern!r}: {hint}")


def network(name: str) -> Network:
    """The registered network of that name, or of another spelling of it, see `full_name`.

    Raises:
        UsageError: no such name; the message holds the nearest ones.
    """
    if (known := registry().get(full_name(name))) is not None:
        return known[1]
    near = difflib.get_close_matches(name.lower(), registry(), 3, 0.5)
    hint = (
        f"did you mean {' or '.join(near)}?"
        if near
        else "`triscale networks` lists them; a spec file (.json) works too."
    )
    raise UsageError(f"unknown network {name!r}: {hint}")
