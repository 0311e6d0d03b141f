"""What a limit on latency was answered with: a network, what was predicted of it, and what was measured."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from triscale import units
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

    def text(self) -> str:
        """In a line."""
        low, high = (units.latency(end / 1e3) for end in (self.predicted.low, self.predicted.high))
        clock = "measured" if self.measurement.clean else "measured on a loaded machine"
        if not self.measurement.clean and self.measurement.lowest_cpu_ms is not None:
            clock += ", by the processor's time"
        return (
            f"latency on {self.target}: {units.latency(self.measured_ms / 1e3)} {clock}; "
            f"{units.latency(self.predicted.milliseconds / 1e3)} predicted ({low} to {high}); "
            f"{units.agreeing(self.tried, 'network', 'networks')} measured"
        )

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
