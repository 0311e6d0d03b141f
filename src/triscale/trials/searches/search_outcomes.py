"""What became of each proposal of an architecture search, from its store."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from triscale.trials.searches.search_records import ProposalRecord
from triscale.trials.store import Stored
from triscale.trials.trial import VALIDATION, State, Trial

SEARCH, RUNG = "search", "rung"
"""The purposes of the trials of a search: of every proposal, and of those that are trained longer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """A proposal and its trial; several proposals of one network share a trial.

    Attributes:
        proposal: of the sampler.
        trial: of its network; None before it is planned.
    """

    proposal: ProposalRecord
    trial: Trial | None = None

    @property
    def state(self) -> State:
        """Of the trial."""
        return "waiting" if self.trial is None else self.trial.state

    @property
    def accuracy(self) -> float | None:
        """Validation top-1; None unless the trial is done."""
        done = self.trial is not None and self.trial.state == "done"
        return self.trial.metrics.get(VALIDATION) if done and self.trial else None

    @property
    def ended_as(self) -> str:
        """The state of the trial in words."""
        if self.trial is None or self.state != "stopped":
            return self.state
        return f"stopped after {len(self.trial.history)} of {self.trial.epochs} epochs"


class Saved(NamedTuple):
    """What was saved by stopping trials: how many, their epochs that were not trained, and the epochs of all trials."""

    trials: int
    epochs: int
    whole: int


NOTHING_SAVED = Saved(0, 0, 0)


def saved(stored: Stored) -> Saved:
    """By the trials of all proposals that were stopped."""
    trials = [one for one in stored if one.purpose == SEARCH]
    stopped = [one for one in trials if one.state == "stopped"]
    return Saved(len(stopped), sum(one.epochs - len(one.history) for one in stopped), sum(one.epochs for one in trials))


def outcomes(stored: Stored) -> list[Outcome]:
    """Every proposal in the order of their numbers."""
    proposals = stored.all(ProposalRecord)
    trials = stored.by_network() if proposals else {}
    return [Outcome(proposal=one, trial=_trial(trials.get(one.network, ()))) for one in proposals]


def distinct(found: Sequence[Outcome]) -> list[Outcome]:
    """Without proposals that repeat an earlier network."""
    return [one for one in found if one.proposal.repeats is None]


def _trial(trials: Sequence[Trial]) -> Trial | None:
    return next((one for one in trials if one.purpose == SEARCH), None)
