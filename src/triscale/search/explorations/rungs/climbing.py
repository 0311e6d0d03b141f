"""From the trials of all proposals up the rungs: who is trained longer is decided once a whole rung has ended."""

from collections.abc import Callable

from triscale.search.explorations.finals.finalists import Scores, told
from triscale.search.explorations.proposals import Score, settled
from triscale.search.explorations.rungs.ladder import promoted, rungs_above
from triscale.search.explorations.rungs.rung_ranks import Trained, rung_ranks
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.trainings.campaign import Campaign
from triscale.search.trainings.shared_terms import Training
from triscale.trials import Stored, TrialStore
from triscale.trials.searches.rung_records import RanksRecord, RungRecord
from triscale.trials.searches.search_outcomes import RUNG
from triscale.trials.searches.search_records import SearchRecord

Begins = Callable[[RungRecord, list[str]], None]
"""Hears of a rung, and of the keys of its trainings."""


def climb(store: TrialStore, campaign: Campaign, question: SearchQuestion, score: Score, begins: Begins) -> None:
    """Train what the rungs above the trials lack; what was decided stays decided.

    Args:
        store: of the search, open; every trial of a proposal has ended.
        campaign: trains.
        question: of the search.
        score: of an accuracy and costs.
        begins: is called before the trainings of each rung.

    Raises:
        InputError: every training failed.
    """
    record = record_of(store)
    known = store.all(RungRecord)
    for number, rung in enumerate(rungs_above(question, record.trials, record.epochs), 1):
        if number <= len(known):
            decided = known[number - 1]
        else:
            below = rungs_of(store, score, question.seed)[-1].scores
            decided = promoted(below, number, rung.epochs, eta=question.eta, seed=question.seed)
            store.add(decided)
        trainings = [
            Training(store.network(one), RUNG, question.seed, decided.epochs)
            for one in (*decided.promoted, *decided.drawn)
        ]
        begins(decided, [campaign.key_of(one) for one in trainings])
        campaign.train([one for one in trainings if settled(campaign.trial_of(one)) is None])


def rungs_of(stored: Stored, score: Score, seed: int) -> list[Trained]:
    """Every rung that was decided, the trials of all proposals first, with the scores of what is done."""
    record = record_of(stored)
    found = [Trained(record.epochs, told(stored, record.epochs, score, seed))]
    for rung in stored.all(RungRecord):
        scores, own = told(stored, rung.epochs, score, seed), (*rung.promoted, *rung.drawn)
        found.append(Trained(rung.epochs, {one: scores[one] for one in own if one in scores}, rung.drawn))
    return found


def ranks_of(stored: Stored, score: Score, seed: int, final: Scores) -> tuple[RanksRecord, ...]:
    """Between every two rungs; the finalists are the last, with the `final` scores over their seeds."""
    return rung_ranks([*rungs_of(stored, score, seed), Trained(record_of(stored).final_epochs, final)])


def record_of(stored: Stored) -> SearchRecord:
    """Of the beginning of the search."""
    found = stored.one(SearchRecord)
    assert found is not None  # noqa: S101  a search begins with it
    return found
