"""The measured latency of a few networks side by side, for answers that were chosen by predictions."""

from collections.abc import Sequence

from triscale.costs import Target
from triscale.latency.clocked_fit import SECONDS, believed_ms
from triscale.latency.measuring import Limits, measure
from triscale.latency.silent_watch import SilentWatch
from triscale.spec import Network


def clocked(networks: Sequence[Network], target: Target) -> list[float]:
    """Seconds of a step of each network, measured in interleaved rounds.

    Args:
        networks: all different.
        target: the engine.

    Raises:
        InputError: the engine cannot run one of them.
    """
    found = measure(networks, [target], Limits(seconds=SECONDS * len(networks)), SilentWatch())
    return [believed_ms(one) / 1e3 for one in found.measurements]
