"""The front of an architecture search, at any time: the networks that none beats in accuracy and cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from triscale.costs import known_metrics
from triscale.trials.searches.search_outcomes import Outcome, distinct


def axes_in(question: Mapping[str, Any], costs: Sequence[str]) -> tuple[str, ...]:
    """The costs of the front.

    Args:
        question: of the search, as it is recorded.
        costs: the metrics of a proposal, in the order of its record: those of the objective come first.
    """
    several = question.get("objective") == "front"
    return tuple(costs)[: len(str(question.get("cost")).split(",")) if several else 1] or ("macs",)


def front_so_far(found: Sequence[Outcome], metrics: Sequence[str]) -> tuple[Outcome, ...]:
    """Of the networks that are trained those that none beats in accuracy and these costs, by rising cost."""
    known = [one for one in distinct(found) if one.accuracy is not None]
    rows = [_row(one, metrics) for one in known]
    first = [one for one, row in zip(known, rows, strict=True) if not any(_beats(other, row) for other in rows)]
    return tuple(sorted(first, key=lambda one: tuple(one.proposal.costs[name] for name in metrics)))


def _row(one: Outcome, metrics: Sequence[str]) -> tuple[float, ...]:
    """Accuracy and costs, turned so that more is better; an unknown metric is a cost."""
    metric, costs = known_metrics(), one.proposal.costs
    signs = (1 if name in metric and metric[name].at_least else -1 for name in metrics)
    return one.accuracy or 0.0, *(sign * costs[name] for sign, name in zip(signs, metrics, strict=True))


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether `one` is nowhere worse and somewhere better."""
    return one != other and all(mine >= its for mine, its in zip(one, other, strict=True))
