"""`predict`: the milliseconds of a network on a target that has been calibrated."""

from pathlib import Path

from triscale.costs import Target
from triscale.latency.predictor.calibration_store import calibration
from triscale.latency.predictor.latency_model import Prediction
from triscale.spec import Network


def predict(network: Network, target: Target, *, calibrated: Path | None = None) -> Prediction:
    """The time of one run of a network, with an interval that covers 9 in 10 networks; about a millisecond to find.

    Args:
        network: the spec, at its own resolution.
        target: what runs it; `target.batch` images a run.
        calibrated: a calibration's file, which may be another machine's; None: this machine's own.

    Raises:
        InputError: there is no calibration of the target, or it is another machine's or version's; the message has
            the line that makes one.
        UsageError: an unknown engine.
    """
    return calibration(target, calibrated).predict(network)
