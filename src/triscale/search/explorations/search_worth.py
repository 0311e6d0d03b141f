"""What a search learned beside its answer, put together from its store."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from triscale.costs import count_resolved
from triscale.search.explorations.choice_effects import choice_effects
from triscale.search.explorations.drawn_at_random import beside_drawn
from triscale.search.explorations.guessing import beside_guessing
from triscale.search.explorations.predictors import trivial_predictors
from triscale.spec import Network, resolve
from triscale.trials import Stored
from triscale.trials.searches.search_outcomes import Outcome, distinct, outcomes
from triscale.trials.searches.worth_records import DrawnRecord, EffectsRecord, GuessingRecord, PredictorRecord, Value

Scores = Mapping[str, tuple[float, ...]]


class Worth(NamedTuple):
    """See the fields of `FoundRecord` with these names."""

    effects: EffectsRecord | None
    predictors: tuple[PredictorRecord, ...]
    drawn: DrawnRecord | None
    guessing: GuessingRecord | None


def search_worth(
    stored: Stored,
    scores: Scores,
    choices: Mapping[str, Sequence[Value]],
    *,
    drawn_first: int,
    images: int,
    guessing: float,
) -> Worth:
    """Effects, predictors and the comparisons with random draws and with guessing, of all trials that are done.

    Args:
        stored: of the search.
        scores: what the sampler maximised, by the id of a network; of several numbers the first counts here.
        choices: of the space.
        drawn_first: how many of the first proposals were drawn at random.
        images: of the validation.
        guessing: top-1 of always naming their most frequent class.
    """
    known = [one for one in distinct(outcomes(stored)) if one.proposal.network in scores and one.accuracy is not None]
    first = [scores[one.proposal.network][0] for one in known]
    early = [one.proposal.number < drawn_first for one in known]
    return Worth(
        effects=choice_effects([one.proposal.chosen for one in known], first, choices),
        predictors=_predictors(stored, known, first),
        drawn=beside_drawn(
            [score for score, is_early in zip(first, early, strict=True) if is_early],
            [score for score, is_early in zip(first, early, strict=True) if not is_early],
        ),
        guessing=beside_guessing([one.accuracy or 0.0 for one in known], images, guessing),
    )


def _predictors(stored: Stored, known: Sequence[Outcome], scores: Sequence[float]) -> tuple[PredictorRecord, ...]:
    sizes = [_sizes(stored.network(one.proposal.network)) for one in known]
    numbers = {name: [one[name] for one in sizes] for name in ("params", "macs", "depth")}
    return trivial_predictors(numbers, scores, [one.accuracy or 0.0 for one in known])


def _sizes(network: object) -> dict[str, float]:
    """Params, MACs, and the blocks between stem and head."""
    assert isinstance(network, Network)  # noqa: S101  a space holds no others
    resolved = resolve(network)
    counts = count_resolved(resolved)
    depth = sum(run.repeats for run in resolved.runs if run.stage > 0)
    return {"params": counts.params, "macs": counts.macs, "depth": depth}
