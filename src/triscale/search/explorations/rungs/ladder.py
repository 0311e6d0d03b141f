"""Successive halving over epochs: the best of each rung are trained longer, from the start, on the next one.

Jamieson and Talwalkar 2016 (arXiv 1502.07943). A training begins again on each rung, since its learning rates depend on
its length. Beside the best, a few of the others go on: ranks among the best alone span a narrower range, and would say
too little of the short trainings.
"""

import math
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.objectives import crowding, fronts
from triscale.trials.searches.rung_records import RungRecord

if TYPE_CHECKING:
    from triscale.search.explorations.finals.finalists import (
        Scores,
    )  # loads torch, and where a search stands needs none

DRAWN = 4
"""Networks of each rung that go on although they are not among the best."""


class Rung(NamedTuple):
    """Networks, and the epochs of each."""

    networks: int
    epochs: int


def rungs_above(question: SearchQuestion, trials: int, epochs: int) -> list[Rung]:
    """The rungs above the trials of all proposals, as planned: a trial that fails leaves fewer.

    Args:
        question: how many rungs there are, and by how much each differs from the one below.
        trials, epochs: of the lowest rung.
    """
    found, networks = list[Rung](), trials
    for step in range(1, question.rungs):
        best = _promoted(networks, question.eta)
        networks = best + min(DRAWN, networks - best)
        found.append(Rung(networks, epochs * question.eta**step))
    return found


def promoted(scores: "Scores", number: int, epochs: int, *, eta: int, seed: int) -> RungRecord:
    """Who goes on to a rung.

    Args:
        scores: of the trials of the rung below that are done.
        number, epochs: of the rung.
        eta: one of so many goes on.
        seed: of what is drawn beside them.
    """
    ids = ranked(scores)
    best = _promoted(len(ids), eta)
    dice = Random(f"{seed} rung {number}")  # noqa: S311  no secrets
    drawn = dice.sample(ids[best:], min(DRAWN, len(ids) - best))
    return RungRecord(number=number, epochs=epochs, promoted=tuple(ids[:best]), drawn=tuple(drawn))


def ranked(scores: "Scores") -> list[str]:
    """Ids, the best first; of several scores front by front, and within one those with the most room (NSGA-II)."""
    ids = list(scores)
    if not ids or len(scores[ids[0]]) == 1:
        return sorted(ids, key=lambda one: scores[one], reverse=True)
    return [
        one for front in fronts([scores[one] for one in ids]) for one in _roomiest([ids[at] for at in front], scores)
    ]


def _roomiest(ids: Sequence[str], scores: "Scores") -> list[str]:
    room = crowding([scores[one] for one in ids])
    return [ids[at] for at in sorted(range(len(ids)), key=lambda at: (-float(room[at]), at))]


def _promoted(networks: int, eta: int) -> int:
    return math.ceil(networks / eta)
