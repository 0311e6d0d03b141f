"""A predictor of milliseconds: calibrated on a target in a minute or two, then a sum over the kernels of a network."""

from triscale.latency.predictor.calibrating import Drift, calibrate, check_drift, require_able
from triscale.latency.predictor.calibration_store import Calibration, calibration, calibration_path
from triscale.latency.predictor.latency_model import LatencyModel, Prediction
from triscale.latency.predictor.predicting import predict

__all__ = [
    "Calibration", "Drift", "LatencyModel", "Prediction", "calibrate", "calibration", "calibration_path",
    "check_drift", "predict", "require_able",
]  # fmt: skip
