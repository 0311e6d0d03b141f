"""The measured latency of a few networks side by side, for answers that were chosen by predictions."""

from collections.abc import Sequence
from typing import NamedTuple

from triscale.costs import Target
from triscale.errors import InputError
from triscale.latency.clocked_fit import SECONDS, believed_ms
from triscale.latency.measuring import Limits, measure
from triscale.latency.silent_watch import SilentWatch
from triscale.spec import Network


class Clocked(NamedTuple):
    """What was measured of a network.

    Attributes:
        seconds: of a step.
        clean: whether the machine was quiet; else they are of the processor, where it computed in one thread.
    """

    seconds: float
    clean: bool = True


def clocked(networks: Sequence[Network], target: Target) -> list[Clocked]:
    """A step of each network, measured in interleaved rounds, all by one clock.

    Args:
        networks: all different.
        target: the engine.

    Raises:
        InputError: the engine cannot run one of them.
    """
    watch = SilentWatch()
    found = measure(networks, [target], Limits(seconds=SECONDS * len(networks)), watch)
    if len(found.measurements) < len(networks):
        raise InputError("\n".join(["not all networks could be measured side by side:", *watch.lines]))
    return [Clocked(believed_ms(one, clean=found.clean) / 1e3, found.clean) for one in found.measurements]
