"""The records of a fit, gathered for its page and its README."""

from dataclasses import dataclass

from triscale.errors import InputError
from triscale.spec import Network
from triscale.trials import Stored, Trial
from triscale.trials.fits.fit_records import (
    FitPlanRecord,
    FitRecord,
    FitTestRecord,
    LargerRecord,
    ShippedRecord,
)
from triscale.trials.study_records import AnswerRecord

ANSWER, LARGER = "the answer", "twice the cost"
"""The networks of a fit, as people read them."""

_PURPOSES = {"answer": ANSWER, "larger": LARGER}


@dataclass(frozen=True, kw_only=True, slots=True)
class FitFacts:
    """What a fit has written so far; what is not there yet is None.

    Attributes:
        begun: its question.
        plan, larger, shipped, test: see the records.
        answer: its lines; none before the end.
        trials: those that are done, by what they are of.
        networks: the baseline, the answer and the larger one, by what they are.
    """

    begun: FitRecord
    plan: FitPlanRecord | None
    larger: LargerRecord | None
    shipped: ShippedRecord | None
    test: FitTestRecord | None
    answer: tuple[str, ...]
    trials: dict[str, Trial]
    networks: dict[str, Network]


def fit_facts(stored: Stored) -> FitFacts:
    """Gather the records of a fit, finished or not.

    Raises:
        InputError: there is none.
    """
    begun, plan, answer = stored.one(FitRecord), stored.one(FitPlanRecord), stored.one(AnswerRecord)
    if begun is None:
        raise InputError("it holds no fit.")
    ids = {} if plan is None else {"the baseline": plan.baseline, ANSWER: plan.network, LARGER: plan.larger}
    networks = {name: stored.network(one) for name, one in ids.items() if one is not None}
    return FitFacts(
        begun=begun,
        plan=plan,
        larger=stored.one(LargerRecord),
        shipped=stored.one(ShippedRecord),
        test=stored.one(FitTestRecord),
        answer=() if answer is None else answer.lines,
        trials={_PURPOSES.get(one.purpose, one.purpose): one for one in stored if one.state == "done"},
        networks={name: one for name, one in networks.items() if isinstance(one, Network)},
    )
