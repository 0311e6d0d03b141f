"""The question of an architecture search; its hash names the folder, so that the same command resumes it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, get_args

from triscale.errors import UsageError
from triscale.search.objectives import WEIGHT, Accuracy, Front, Objective, Reward, weight_in
from triscale.search.samplers import SAMPLERS
from triscale.search.trainings.shared_terms import SharedTerms, written_limit

Goal = Literal["soft", "hard", "front", "accuracy"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchQuestion(SharedTerms):
    """The question of an architecture search.

    Attributes:
        network: the baseline, around which the space lies and which is to be beaten; empty: the base of the space.
        space: a name, or a .json file.
        objective: `soft` or `hard`: the reward accuracy x (cost / target)^exponent, hard only above the target;
            `front`: the Pareto front of accuracy and costs; `accuracy`: alone, within the budget.
        cost: metrics of the reward or of the front, with commas between.
        reward_target: cost at which the reward is the accuracy; None: the baseline's.
        exponent: of the cost in the reward.
        worth: instead of the exponent, what more cost must buy: "2x macs must buy 5% accuracy".
        sampler: see `triscale.search.samplers.SAMPLERS`.
        trials: networks that are proposed; None: 64, or as many as `time` allows.
        lag: how many of them may be trained at a time, at most: trial k knows the results up to k - lag.
        finalists: of them are trained to the end, beside the baseline.
        final_epochs: of these trainings; None: four times those of a trial, or those of the last rung if they are more.
        rungs: lengths of training among which networks are chosen; 1: the trials alone.
        eta: of each rung one of so many goes on to the next, where it is trained that many times as long.
        stop_hopeless: whether a trial is stopped where it is behind most of the earlier ones, see
            `triscale.search.explorations.rungs.hopeless`.
        budget: limits that every proposed network keeps.
        epochs: of a trial.
        seeds: trainings of each finalist and of the baseline.
        data and the others: see `SharedTerms`.
    """

    network: str = ""
    seeds: int = 3
    space: str = "small_24"
    objective: Goal = "soft"
    cost: str = "macs"
    reward_target: float | None = None
    exponent: float = WEIGHT
    worth: str | None = None
    sampler: str = "evolution"
    trials: int | None = None
    lag: int = 8
    finalists: int = 1
    final_epochs: int | None = None
    rungs: int = 1
    eta: int = 2
    stop_hopeless: bool = False

    LEAST: ClassVar[Mapping[str, int]] = {
        "trials": 2, "lag": 1, "finalists": 1, "final_epochs": 2, "rungs": 1, "eta": 2, **SharedTerms.LEAST,
    }  # fmt: skip
    NUMBERS: ClassVar[tuple[str, ...]] = ("time", "reward_target", "exponent")
    LATER: ClassVar[Mapping[str, object]] = {"rungs": 1, "eta": 2, "stop_hopeless": False, **SharedTerms.LATER}
    COMMAND: ClassVar[tuple[str, ...]] = ("search", "architecture")

    def __post_init__(self) -> None:
        SharedTerms.__post_init__(self)
        if self.objective not in get_args(Goal):
            raise UsageError(f"objective is {self.objective!r}; give {', '.join(get_args(Goal))}.")
        if self.sampler not in SAMPLERS:
            raise UsageError(f"unknown sampler {self.sampler!r}; the samplers are {', '.join(SAMPLERS)}.")
        if self.objective == "front" and self.sampler == "controller":
            raise UsageError("the controller maximises one score: give another --sampler, or --objective soft or hard.")
        if self.rungs == 1 and self.eta != self.LATER["eta"]:
            raise UsageError("--eta says how rungs differ, and there is one: give --rungs 2 or more.")
        if self.stop_hopeless and self.objective == "front":
            raise UsageError("--stop-hopeless compares one number; a front has several: give --objective soft or hard.")
        self._reject_unused()
        self.to_objective(dict.fromkeys(self.cost.split(","), 1.0))  # what is wrong in it is found at once

    def _reject_unused(self) -> None:
        """UsageError where an option means nothing for this objective, or contradicts another one."""
        usual = {one.name: one.default for one in fields(self)}
        given = [one for one in ("worth", "exponent", "reward_target", "cost") if getattr(self, one) != usual[one]]
        rewards = [one for one in given if one != "cost"]
        if rewards and self.objective in ("front", "accuracy"):
            raise UsageError(
                f"--{rewards[0].replace('_', '-')} is for a reward, and the objective is {self.objective}: "
                "give --objective soft or hard, or leave it out."
            )
        if "cost" in given and self.objective == "accuracy":
            raise UsageError(
                f"--cost {self.cost} has no part in --objective accuracy: limit it by --budget {self.cost}=..., "
                "or give --objective soft, hard or front."
            )
        if self.worth is None:
            return
        if "exponent" in given:
            raise UsageError("--worth and --exponent both say what more cost must buy: leave one of them out.")
        named = weight_in(self.worth)[0]
        if "cost" in given and named not in (None, self.cost):
            raise UsageError(
                f"--worth is about {named}, and --cost names {self.cost}: leave --cost out, or name one metric in both."
            )

    def written(self, name: str, value: object) -> object:
        """The value of a field as the command line reads it: the target of a reward in the unit of its metric."""
        if name == "reward_target" and isinstance(value, float):
            return written_limit(metric_of_reward(self.cost, self.worth), value)
        return SharedTerms.written(self, name, value)

    def to_objective(self, baseline: Mapping[str, float]) -> Objective:
        """What is maximised, and the limits.

        Args:
            baseline: costs of the baseline by name.
        """
        return Objective(goal=self._goal(baseline), limits=self.budget)

    def _goal(self, baseline: Mapping[str, float]) -> Accuracy | Reward | Front:
        if self.objective == "accuracy":
            return Accuracy()
        if self.objective == "front":
            return Front(tuple(self.cost.split(",")))
        metric, weight = (None, self.exponent) if self.worth is None else weight_in(self.worth)
        name = metric or self.cost
        target = baseline.get(name, 1.0) if self.reward_target is None else self.reward_target
        return Reward(
            target=target, metric=name, weight=weight,
            form="soft" if self.objective == "soft" else "hard",
        )  # fmt: skip


def metric_of_reward(cost: str, worth: str | None) -> str:
    """The metric that the target of a reward is read in: the one that the sentence `worth` names, else `cost`.

    Of several costs, which no reward has, it is the first.

    Raises:
        UsageError: see `triscale.search.objectives.weight_in`.
    """
    named = None if worth is None else weight_in(worth)[0]
    return named or cost.partition(",")[0]
