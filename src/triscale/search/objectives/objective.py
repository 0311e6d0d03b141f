"""What a search of networks maximises, and what it may not exceed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from triscale.costs import metric_named
from triscale.errors import UsageError
from triscale.search.objectives.reward import Reward

_MOST = 2


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The accuracy alone; limits keep the costs down."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """No cost."""
        return ()

    def scores(self, accuracy: float, costs: Mapping[str, float]) -> float:
        """The accuracy."""
        del costs
        return accuracy


@dataclass(frozen=True, slots=True)
class Front:
    """The Pareto front of accuracy and one or two costs.

    Raises:
        UsageError: no cost, more than two, one twice, or one that no metric has the name of.
    """

    metrics: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in self.metrics:
            metric_named(name)
        if not 1 <= len(set(self.metrics)) == len(self.metrics) <= _MOST:
            raise UsageError(f"a front needs accuracy and one or two costs, got {', '.join(self.metrics) or 'none'}.")

    def scores(self, accuracy: float, costs: Mapping[str, float]) -> tuple[float, ...]:
        """Accuracy and each cost, turned so that more is better."""
        return accuracy, *(costs[name] if metric_named(name).at_least else -costs[name] for name in self.metrics)


@dataclass(frozen=True, kw_only=True, slots=True)
class Objective:
    """A goal under hard limits.

    Attributes:
        goal: what is maximised.
        limits: for each metric its largest value, or its least where more is better.

    Raises:
        UsageError: an unknown metric, or a limit that is not above 0.
    """

    goal: Accuracy | Reward | Front
    limits: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for name, limit in self.limits.items():
            metric_named(name, "limit")
            if not 0 < limit < float("inf"):
                raise UsageError(f"the limit {name} must be a number above 0, got {limit}.")

    @property
    def metrics(self) -> tuple[str, ...]:
        """The costs that scores and limits need, each once."""
        return tuple(dict.fromkeys((*self.goal.metrics, *self.limits)))

    def scores(self, accuracy: float, costs: Mapping[str, float]) -> float | tuple[float, ...]:
        """What a sampler gets: one number, or one for each axis of a front."""
        return self.goal.scores(accuracy, costs)
