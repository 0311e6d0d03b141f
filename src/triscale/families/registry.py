"""The registry of names: every network that triscale knows without a file."""

import difflib
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
