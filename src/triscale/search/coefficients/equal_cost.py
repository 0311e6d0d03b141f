"""What the networks of a study cost alike: counted MACs, or any other metric."""

from dataclasses import dataclass, field

from triscale.costs import ANYWHERE, Target, count, metric_named
from triscale.errors import UsageError
from triscale.foreign import count_any, metrics_any
from triscale.spec import AnyNetwork, ForeignNetwork, Network, content_hash


@dataclass(frozen=True, kw_only=True, slots=True)
class EqualCost:
    """A metric on a target, as a function of a network; what is not counted is evaluated once for equal networks.

    Attributes:
        metric: a name of `triscale.costs.registry()`. It should grow with the network, as a predicted latency nearly
            does: candidates are looked for by bisection along the width.
        target: that it is of.

    Raises:
        UsageError: no such metric, or one of which more is better.
    """

    metric: str = "macs"
    target: Target = ANYWHERE
    _known: dict[str, float] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if metric_named(self.metric, "cost").at_least:
            raise UsageError(f"--cost {self.metric}: more of it is better, so it is not a cost; give macs or another.")

    def __call__(self, network: AnyNetwork) -> float:
        """The cost of a network, in the metric's unit."""
        if self.metric == "macs":
            return count(network).macs if isinstance(network, Network) else count_any(network).macs
        key = content_hash(network)
        if key not in self._known:
            self._known[key] = metrics_any(network, (self.metric,), self.target)[self.metric]
        return self._known[key]

    def all_of(self, network: AnyNetwork) -> dict[str, float]:
        """What is counted of every network, and this cost, by the names of the metrics."""
        return {**count_any(network)._asdict(), self.metric: self(network)}

    def refuse_foreign(self, network: AnyNetwork) -> None:
        """UsageError for code of one's own at anything but equal MACs: its points are found by their MACs."""
        if self.metric != "macs" and isinstance(network, ForeignNetwork):
            raise UsageError(f"--cost {self.metric} is for networks of triscale; your own code is scaled by its MACs.")


MACS = EqualCost()
"""The cost of the paper."""
