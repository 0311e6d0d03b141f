"""Which dimensions of a foreign network can be scaled: those that the callable takes and that move what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from triscale.errors import InputError
from triscale.foreign.callables import callable_at
from triscale.foreign.counting import count, known
from triscale.foreign.signature import roles
from triscale.spec import ForeignNetwork

Dimension = Literal["depth", "width", "resolution"]
ALL: tuple[Dimension, ...] = ("depth", "width", "resolution")

_DOUBLE = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Dimensions:
    """What a search may scale.

    Attributes:
        scaled: in the order of the paper.
        held: why each of the others stays as it is.
    """

    scaled: tuple[Dimension, ...]
    held: Mapping[Dimension, str]

    def __str__(self) -> str:
        held = "; ".join(f"{name} stays: {why}" for name, why in self.held.items())
        return ", ".join(self.scaled) + (f" ({held})" if held else "")


def dimensions(network: ForeignNetwork) -> Dimensions:
    """The dimensions of a network, each tried at twice its value. Its path is imported.

    Raises:
        InputError: fewer than two are left, or the network fails at twice a depth, a width or a resolution that it
            takes.
    """
    network = known(network)
    reasons = {name: _held(network, name) for name in ALL}
    held: dict[Dimension, str] = {name: why for name, why in reasons.items() if why is not None}
    found = Dimensions(scaled=tuple(name for name in ALL if name not in held), held=MappingProxyType(held))
    if len(found.scaled) < 2:
        raise InputError(
            f"{network.path} scales in {' and '.join(found.scaled) or 'no dimension'} only; a search needs two.\n"
            + "; ".join(f"{name}: {why}" for name, why in held.items())
        )
    return found


def _held(network: ForeignNetwork, dimension: Dimension) -> str | None:
    """Why a dimension cannot be scaled; None: it can."""
    told = roles(network, callable_at(network.path))
    if dict(network.names).get(dimension) == "":
        return "held by its settings"
    if dimension not in told and dimension != "resolution":
        return f"the callable has no parameter {dimension}"
    try:
        after = count(network.scaled(**{dimension: _DOUBLE}))
    except InputError:
        if dimension in told:
            raise
        return f"the network takes images of {network.resolution[0]}x{network.resolution[1]} px only"
    return "it changes no count" if after == count(network) else None
