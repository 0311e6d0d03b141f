"""Which of the finalists is the network to take: the objective ranks them, and the limits hold."""

from collections.abc import Mapping, Sequence

import msgspec

from triscale.latency.latency_metric import LATENCY
from triscale.scaling.limit import limit_on
from triscale.search.explorations.finals.finalists import several
from triscale.search.explorations.proposals import Score
from triscale.trials.searches.search_records import FinalistRecord


def ranked(rows: Sequence[FinalistRecord], score: Score, limits: Mapping[str, float]) -> tuple[FinalistRecord, ...]:
    """The finalists with their scores and the limits that they break, the best first; of equal ones the baseline.

    Those that break a limit as measured go behind the others. A baseline that keeps not all limits is the last.

    Args:
        rows: after their last trainings, with costs.
        score: of an accuracy and costs; of several numbers, those of a front, the first (the accuracy) counts most.
        limits: by the name of the metric.
    """
    scores = {one.id: several(score(one.validation, one.costs)) for one in rows}
    found = [
        msgspec.structs.replace(one, score=scores[one.id][0], breaks=_broken_by(_limited_costs(one, limits), limits))
        for one in rows
    ]

    def place(one: FinalistRecord) -> tuple[bool, bool, list[float], bool]:
        return one.only_compared, bool(one.breaks), [-number for number in scores[one.id]], one.rule != "baseline"

    return tuple(sorted(found, key=place))


def broken(one: FinalistRecord, limits: Mapping[str, float]) -> str:
    """How it breaks limits, such as `macs 12 > 10`; empty where it keeps all."""
    costs = _limited_costs(one, limits)
    return ", ".join(limit_on(name, limits[name]).broken(name, costs[name]) for name in one.breaks)


def _broken_by(costs: Mapping[str, float], limits: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(name for name, limit in limits.items() if not limit_on(name, limit).kept_by(costs[name]))


def _limited_costs(one: FinalistRecord, limits: Mapping[str, float]) -> dict[str, float]:
    """Its costs that are limited; latency as measured, where it was."""
    costs = one.costs if one.measured is None else {**one.costs, LATENCY.name: one.measured}
    return {name: costs[name] for name in limits}
