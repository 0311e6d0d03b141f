"""Who watches a search hears how far it is: the bar of a terminal, lines for what is new on the front, a mirror."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from triscale import units
from triscale.latency.cost_words import cost_name, cost_text
from triscale.search.explorations.optuna_mirror import Axis, OptunaMirror, Shown
from triscale.search.explorations.rungs.ladder import Rung
from triscale.search.objectives import Front, Objective
from triscale.search.trainings.progress import StudyProgress
from triscale.trials import ENDED, Stored
from triscale.trials.searches.rung_records import RungRecord
from triscale.trials.searches.search_front import front_so_far
from triscale.trials.searches.search_outcomes import Outcome, distinct, outcomes
from triscale.trials.searches.search_records import SearchRecord


@dataclass(kw_only=True)
class SearchWatch:
    """Tells of a search while it runs; it reads the store and decides nothing.

    Attributes:
        stored: of the search; it grows.
        record: of its beginning.
        objective: what is maximised.
        finals: how many trainings compare the best with the baseline.
        progress: hears about the bar, the best so far and the front.
        mirror: is shown every trial; None without.
        rungs: above the trials of all proposals.
    """

    stored: Stored
    record: SearchRecord
    objective: Objective
    finals: int
    progress: StudyProgress
    mirror: OptunaMirror | None = None
    rungs: Sequence[Rung] = ()
    _front: set[str] = field(default_factory=set)

    @property
    def _epoch(self) -> float:
        """Predicted seconds of an epoch of any training."""
        record = self.record
        whole = [(record.trials, record.epochs), *self.rungs, (self.finals, record.final_epochs)]
        return record.predicted_seconds / sum(trainings * epochs for trainings, epochs in whole)

    def exploring(self, keys: Sequence[str], proposed: int) -> None:
        """Something is settled, or is proposed.

        Args:
            keys: of the trials of all proposals.
            proposed: how many proposals there are.
        """
        trial = self._epoch * self.record.epochs
        left = {key: trial for key in keys if not self._ended(key)}
        done = len(keys) - len(left)
        left |= {f"proposal {number}": trial for number in range(proposed, self.record.trials)}
        self.progress.agenda(left | self._above(0), done, done * trial)
        self._tell_best()
        self.show()

    def climbing(self, rung: RungRecord, keys: Sequence[str]) -> None:
        """The trainings of a rung begin; `keys` are theirs."""
        which = f"the best {len(rung.promoted)} and {len(rung.drawn)} drawn at random"
        self.progress.say(f"rung {rung.number}: {which}, {units.agreeing(rung.epochs, 'epoch', 'epochs')} each")
        self._train(keys, rung.epochs, self._above(rung.number))

    def finishing(self, keys: Sequence[str]) -> None:
        """The last trainings begin; `keys` are theirs."""
        self._train(keys, self.record.final_epochs, {})

    def _train(self, keys: Sequence[str], epochs: int, later: Mapping[str, float]) -> None:
        """Trainings of one length begin, after which `later` ones come."""
        left = {key: self._epoch * epochs for key in keys if not self._ended(key)}
        ended = [one.epochs for one in self.stored if one.state in ENDED and one.key not in left]
        self.progress.agenda({**left, **later}, len(ended), self._epoch * sum(ended))

    def _above(self, rung: int) -> dict[str, float]:
        """The trainings that come after a rung, by names, since they are not decided; 0: after the trials."""
        found = {
            f"rung {number} {at}": self._epoch * one.epochs
            for number, one in enumerate(self.rungs, 1)
            for at in range(one.networks)
            if number > rung
        }
        return found | {f"final {at}": self._epoch * self.record.final_epochs for at in range(self.finals)}

    def show(self) -> None:
        """All trials as they stand now, to the mirror."""
        if self.mirror is not None:
            self.mirror.show([shown(one, self.objective) for one in outcomes(self.stored)])

    def _tell_best(self) -> None:
        known = [one for one in distinct(outcomes(self.stored)) if one.accuracy is not None]
        if known:
            best = max(known, key=lambda one: _several(self.objective.scores(one.accuracy or 0.0, one.proposal.costs)))
            self.progress.standing(f"best {100 * (best.accuracy or 0):.1f}%")
            self._tell_front(known, best)

    def _tell_front(self, known: Sequence[Outcome], best: Outcome) -> None:
        """A line for each network that joins the front of accuracy and cost; for each best one where no cost counts."""
        metrics = self.objective.goal.metrics
        front = front_so_far(known, metrics) if metrics else (best,)
        many = units.agreeing(len(front), "network", "networks")
        joined = [one for one in front if one.proposal.network not in self._front]
        self._front |= {one.proposal.network for one in joined}
        for one in joined:
            costs = "".join(f", {cost_text(name, one.proposal.costs[name])} {cost_name(name)}" for name in metrics)
            place = f"on the front of {many}" if metrics else "the best so far"
            self.progress.say(f"proposal {one.proposal.number}: {100 * (one.accuracy or 0):.1f}%{costs}; {place}")

    def _ended(self, key: str) -> bool:
        return key in self.stored and self.stored.trial(key).state in ENDED


def axes_of(objective: Objective) -> list[Axis]:
    """What a mirror shows of a trial: the score, or accuracy and each cost of a front as they are."""
    if not isinstance(objective.goal, Front):
        return [Axis("reward" if objective.goal.metrics else "accuracy", maximised=True)]
    metrics = objective.goal.metrics
    signs = objective.goal.scores(0.0, dict.fromkeys(metrics, 1.0))[1:]
    costs = zip(metrics, signs, strict=True)
    return [Axis("accuracy", maximised=True), *(Axis(name, maximised=sign > 0) for name, sign in costs)]


def shown(one: Outcome, objective: Objective) -> Shown:
    """A proposal as a mirror shows it."""
    proposal, accuracy = one.proposal, one.accuracy
    values = None if accuracy is None else _several(objective.scores(accuracy, proposal.costs))
    if values is not None:
        values = (values[0], *map(abs, values[1:]))
    seconds = None if one.trial is None else one.trial.metrics.get("seconds")
    reason = None if one.trial is None else one.trial.reason
    about = {"network": proposal.network, "accuracy": accuracy, "seconds": seconds, "reason": reason, **proposal.costs}
    if proposal.repeats is not None:
        about["repeats"] = proposal.repeats
    state = {"failed": "FAIL", "stopped": "PRUNED"}.get(one.state, "RUNNING" if values is None else "COMPLETE")
    known = {name: value for name, value in about.items() if value is not None}
    return Shown(proposal.number, proposal.chosen, state, values, known)


def _several(score: float | tuple[float, ...]) -> tuple[float, ...]:
    return score if isinstance(score, tuple) else (score,)
