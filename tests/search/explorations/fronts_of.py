"""The front of a search as its records have it."""

from collections.abc import Sequence

from triscale.trials import Stored
from triscale.trials.searches.search_front import front_so_far
from triscale.trials.searches.search_outcomes import outcomes


def front_of(stored: Stored, metrics: Sequence[str]) -> tuple[str, ...]:
    """Ids of its networks, by rising cost."""
    return tuple(one.proposal.network for one in front_so_far(outcomes(stored), metrics))
