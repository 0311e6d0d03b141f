"""What a limit on latency was answered with: a network, what was predicted of it, and what was measured."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from triscale.scaling import BudgetFit

if TYPE_CHECKING:
    from triscale.latency.measuring import Measurement
    from triscale.latency.predictor import Prediction


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """What was predicted of a network and what was measured.

    Attributes:
        target: as text.
        predicted: milliseconds with a 90% interval.
        measured_ms: that keep the limit: see `believed_ms`.
        measurement: all that was measured.
        tried: networks that were measured on the way.
    """

    target: str
    predicted: "Prediction"
    measured_ms: float
    measurement: "Measurement"
    tried: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "predicted_ms": self.predicted.milliseconds,
            "predicted_interval_ms": [self.predicted.low, self.predicted.high],
            "measured_ms": self.measured_ms,
            "interval_ms": list(self.measurement.interval_ms),
            "median_ms": self.measurement.median_ms,
            "clean": self.measurement.clean,
            "target": self.target,
            "measured_networks": self.tried,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockedFit(BudgetFit):
    """The largest network within a budget of which one limit is on latency.

    Attributes:
        latency: of the network.
    """

    latency: Latency
