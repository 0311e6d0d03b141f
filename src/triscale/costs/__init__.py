"""What a network costs: counted, not measured, and without torch."""

from triscale.costs.counted_metrics import COUNTED
from triscale.costs.counts import Counts, count, count_block, count_layer, count_resolved
from triscale.costs.memory.forecast import (
    Forecast,
    Optimizer,
    Precision,
    inference_forecast,
    inference_memory,
    largest_batch,
    training_forecast,
    training_memory,
)
from triscale.costs.memory.onednn import Kernels, kernels, known_here
from triscale.costs.memory.static_plan import arena
from triscale.costs.metric import (
    Metric,
    Values,
    known_metrics,
    metric_named,
    needed,
    offer,
    read_limit,
    register,
    registered,
    registry,
    unit_of,
)
from triscale.costs.stored import file_size
from triscale.costs.summary import Comparison, Cost, StageCost, by_stage, cost, cost_on, separable_versus_standard
from triscale.costs.target import ANYWHERE, Target, TargetPrecision, parse_target, training_target

__all__ = [
    "ANYWHERE", "COUNTED", "Comparison", "Cost", "Counts", "Forecast", "Kernels", "Metric", "Optimizer", "Precision",
    "StageCost", "Target", "TargetPrecision", "Values", "arena", "by_stage", "cost", "cost_on", "count", "count_block",
    "count_layer", "count_resolved", "file_size", "inference_forecast", "inference_memory", "kernels", "known_here",
    "known_metrics", "largest_batch", "metric_named", "needed", "offer", "parse_target", "read_limit", "register",
    "registered", "registry", "separable_versus_standard", "training_forecast", "training_memory", "training_target",
    "unit_of",
]  # fmt: skip
