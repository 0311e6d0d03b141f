"""Measured latency: the protocol of the paper's Table 4 as a tool, for the engines of this machine."""

from triscale.latency.measuring.interleaved import Limits
from triscale.latency.measuring.latency_ratios import LatencyRatio, ratio_of, ratios
from triscale.latency.measuring.loaded_group import Subject, opening_of
from triscale.latency.measuring.measure_all import Measured, Watch, measure, measure_subjects
from triscale.latency.measuring.measurement import Measurement, Opening
from triscale.latency.measuring.possible import possible_targets

__all__ = [
    "LatencyRatio",
    "Limits",
    "Measured",
    "Measurement",
    "Opening",
    "Subject",
    "Watch",
    "measure",
    "measure_subjects",
    "opening_of",
    "possible_targets",
    "ratio_of",
    "ratios",
]
