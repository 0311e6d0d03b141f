"""Where a search stands, from its store alone: while it runs, after it was stopped, and at its end. Loads no torch."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from triscale.costs import count
from triscale.errors import UsageError
from triscale.latency import latency_metric  # noqa: F401  makes the metrics of an engine known
from triscale.search.explorations.rungs.ladder import rungs_above
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.objectives import Objective
from triscale.spec import Network
from triscale.trials import ENDED, Stored
from triscale.trials.searches.rung_records import RungRecord
from triscale.trials.searches.search_front import axes_in, front_so_far
from triscale.trials.searches.search_outcomes import RUNG, SEARCH, Outcome, distinct, outcomes
from triscale.trials.searches.search_records import FoundRecord, SearchRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchStanding:
    """Where a search stands.

    Attributes:
        known: the networks of all proposals that are trained, each once, in order.
        best: of them the one with the best score, of a front the one with the most accuracy; None before the first.
        score: of it, what the search maximises; None where this process does not know the metric.
        rewarded: whether that is a reward, and not the accuracy itself.
        axes: the costs of the front.
        front: of `known` those that none beats in accuracy and `axes`, by rising cost.
        seconds_left: about so many until the answer; None where the question cannot be read here.
    """

    known: tuple[Outcome, ...]
    best: Outcome | None
    score: float | None
    rewarded: bool
    axes: tuple[str, ...]
    front: tuple[Outcome, ...]
    seconds_left: float | None


def standing_of(stored: Stored, record: SearchRecord) -> SearchStanding:
    """Where the search of a store stands, whose first record is given."""
    found = outcomes(stored)
    known = tuple(one for one in distinct(found) if one.accuracy is not None)
    axes = axes_in(record.question, tuple(found[0].proposal.costs) if found else ())
    question = _question(record)
    objective = None if question is None else question.to_objective(_baseline_costs(stored, record))
    scores = [_score(one, objective) for one in known]
    at = max(range(len(known)), key=lambda at: scores[at], default=None)
    return SearchStanding(
        known=known, best=None if at is None else known[at],
        score=None if at is None or objective is None else scores[at],
        rewarded=record.question.get("objective") in ("soft", "hard"), axes=axes, front=front_so_far(known, axes),
        seconds_left=None if question is None else _seconds_left(stored, record, question, found),
    )  # fmt: skip


def _question(record: SearchRecord) -> SearchQuestion | None:
    """As the record holds it; None where it names a metric that is not registered in this process."""
    known = {one.name for one in fields(SearchQuestion)}
    asked: dict[str, Any] = {name: value for name, value in record.question.items() if name in known}
    try:
        return SearchQuestion(**asked)
    except UsageError:
        return None


def _baseline_costs(stored: Stored, record: SearchRecord) -> dict[str, float]:
    """Of the baseline; in older searches those that are counted alone."""
    network = stored.network(record.baseline)
    counts = count(network)._asdict() if isinstance(network, Network) else {}
    return {**{name: float(value) for name, value in counts.items()}, **record.costs}


def _score(one: Outcome, objective: Objective | None) -> float:
    """What is maximised, of a front the accuracy; the accuracy too where the objective is not known here."""
    accuracy = one.accuracy or 0.0
    score = accuracy if objective is None else objective.scores(accuracy, one.proposal.costs)
    return score[0] if isinstance(score, tuple) else score


def _seconds_left(stored: Stored, record: SearchRecord, question: SearchQuestion, found: Sequence[Outcome]) -> float:
    """Epochs that are left at the speed of the trainings that are done, or as predicted before the first of them."""
    if stored.one(FoundRecord) is not None:
        return 0.0
    ended = [one for one in stored if one.state in ENDED]
    finals = (question.finalists + 1) * question.seeds
    left = whole = 0
    for networks, epochs, over in (
        (record.trials, record.epochs, sum(one.state in ENDED for one in found)),
        *_rungs(stored, record, question),
        (finals, record.final_epochs, sum(one.purpose not in (SEARCH, RUNG) for one in ended)),
    ):
        left, whole = left + max(0, networks - over) * epochs, whole + networks * epochs
    timed = [one for one in ended if one.metrics.get("seconds")]
    if not timed:
        return record.predicted_seconds * left / whole
    epoch = sum(one.metrics["seconds"] for one in timed) / sum(one.epochs for one in timed)
    return left * epoch / record.jobs


def _rungs(stored: Stored, record: SearchRecord, question: SearchQuestion) -> list[tuple[int, int, int]]:
    """Of each rung above the trials its networks, its epochs, and how many of its trainings have ended."""
    begun = {one.number: len(one.promoted) + len(one.drawn) for one in stored.all(RungRecord)}
    ended = [one.epochs for one in stored if one.purpose == RUNG and one.state in ENDED]
    planned = enumerate(rungs_above(question, record.trials, record.epochs), 1)
    return [(begun.get(number, one.networks), one.epochs, ended.count(one.epochs)) for number, one in planned]
