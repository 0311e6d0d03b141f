"""The public functions; each is a thin way to one room. Torch is loaded by those that compute, when they are called."""

from triscale.api.benchmarking import benchmark
from triscale.api.counted import (
    ForeignNetwork,
    as_network,
    cost,
    fit_budget,
    kernels_of,
    network,
    networks,
    scale,
    scale_by_rules,
)
from triscale.api.exporting import export, require_place
from triscale.api.made_lite import lite
from triscale.api.models import build, load
from triscale.api.searched import FrontNetwork, SearchResult, search_architecture
from triscale.api.shipped import FitResult, fit
from triscale.api.training import StudyResult, TrainResult, study, train
from triscale.api.using import check, evaluate, explain, predict

__all__ = [
    "FitResult",
    "ForeignNetwork",
    "FrontNetwork",
    "SearchResult",
    "StudyResult",
    "TrainResult",
    "as_network",
    "benchmark",
    "build",
    "check",
    "cost",
    "evaluate",
    "explain",
    "export",
    "fit",
    "fit_budget",
    "kernels_of",
    "lite",
    "load",
    "network",
    "networks",
    "predict",
    "require_place",
    "scale",
    "scale_by_rules",
    "search_architecture",
    "study",
    "train",
]
