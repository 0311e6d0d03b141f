"""The end of a search: the best proposals, trained to the end beside the baseline, and the answer in lines."""

from collections.abc import Mapping, Sequence
from statistics import mean

from triscale import intervals
from triscale.search.decisions.trial_scores import scores_of
from triscale.search.explorations.proposals import Score
from triscale.search.objectives import fronts
from triscale.spec import content_hash
from triscale.trials import TEST, VALIDATION, Stored, Trial
from triscale.trials.searches.search_records import FinalistRecord, ProposalRecord, SearchRecord

Scores = Mapping[str, tuple[float, ...]]
"""By the id of a network: what the sampler got, and maximises."""


def told(stored: Stored, epochs: int, score: Score, seed: int) -> dict[str, tuple[float, ...]]:
    """The score of each proposed network that was trained for so many epochs."""
    accuracies = scores_of(stored, VALIDATION, epochs)
    return {
        one.network: several(score(accuracies[one.network][seed], one.costs))
        for one in stored.all(ProposalRecord)
        if one.repeats is None and seed in accuracies.get(one.network, {})
    }


def several(score: float | tuple[float, ...]) -> tuple[float, ...]:
    """A score as a tuple."""
    return score if isinstance(score, tuple) else (score,)


def best_proposals(scores: Scores, count: int) -> list[str]:
    """The ids of the proposals with the best scores; of a front those with the most accuracy first.

    Args:
        scores: of one network at least.
        count: how many are wanted, at most.
    """
    ids = list(scores)
    first = fronts([scores[one] for one in ids])[0] if len(scores[ids[0]]) > 1 else range(len(ids))
    return sorted((ids[at] for at in first), key=lambda one: scores[one], reverse=True)[:count]


def finalists(
    stored: Stored, record: SearchRecord, ids: Sequence[str], costs: Mapping[str, float]
) -> tuple[FinalistRecord, ...]:
    """The best proposals in the order of `ids`, then the baseline, after their last trainings; `costs` are its own."""
    scores, tests = (scores_of(stored, name, record.final_epochs) for name in (VALIDATION, TEST))
    numbers = {one.network: one for one in reversed(stored.all(ProposalRecord))}
    base = scores.get(record.baseline, {})
    return tuple(
        _finalist(one, record, scores[one], base, tests.get(one, {}), numbers.get(one), costs)
        for one in dict.fromkeys((*ids, record.baseline))
        if one in scores
    )


def final_scores(rows: Sequence[FinalistRecord], score: Score) -> dict[str, tuple[float, ...]]:
    """The scores of the proposals after their last trainings, means over seeds."""
    return {one.id: several(score(one.validation, one.costs)) for one in rows if one.number is not None}


def best_trial(stored: Stored, record: SearchRecord, id_: str) -> Trial:
    """Of the last trainings of a network the one with the best validation accuracy."""
    trials = (one for one in stored if one.state == "done" and one.epochs == record.final_epochs)
    return max((one for one in trials if content_hash(one.network) == id_), key=lambda one: one.metrics[VALIDATION])


def _finalist(
    id_: str,
    record: SearchRecord,
    mine: Mapping[int, float],
    base: Mapping[int, float],
    tests: Mapping[int, float],
    proposal: ProposalRecord | None,
    costs: Mapping[str, float],
) -> FinalistRecord:
    apart = [mine[seed] - base[seed] for seed in sorted(mine.keys() & base.keys())]
    is_base = id_ == record.baseline
    difference = None if is_base or not apart else mean(apart)
    return FinalistRecord(
        id=id_, rule="baseline" if is_base else "found", n=len(mine),
        costs=costs if proposal is None else proposal.costs,
        validation=mean(mine.values()), number=None if proposal is None else proposal.number,
        test=mean(tests.values()) if tests else None, difference=difference,
        interval=None if difference is None else _interval(apart),
    )  # fmt: skip


def _interval(values: Sequence[float]) -> tuple[float, float] | None:
    sd = intervals.deviation(values)
    if sd is None:
        return None
    margin = intervals.t_quantile(len(values) - 1) * sd / len(values) ** 0.5
    return mean(values) - margin, mean(values) + margin
