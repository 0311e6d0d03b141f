"""What a network costs: counted, not measured, and without torch."""

from triscale.cost.count import Counts, count, count_block, count_layer, count_resolved
from triscale.cost.counted import COUNTED
from triscale.cost.memory import (
    Forecast,
    Optimizer,
    Precision,
    inference_forecast,
    inference_memory,
    largest_batch,
    training_forecast,
    training_memory,
)
from triscale.cost.metric import Metric, Values, metric_named, needed, read_limit, register, registered, registry
from triscale.cost.onednn import Kernels, kernels, known_here
from triscale.cost.stored import file_size
from triscale.cost.summary import Comparison, Cost, StageCost, by_stage, cost, cost_on, separable_versus_standard
from triscale.cost.target import ANYWHERE, Target, TargetPrecision, training_target

__all__ = [
    "ANYWHERE", "COUNTED", "Comparison", "Cost", "Counts", "Forecast", "Kernels", "Metric", "Optimizer", "Precision",
    "StageCost", "Target", "TargetPrecision", "Values", "by_stage", "cost", "cost_on", "count", "count_block",
    "count_layer", "count_resolved", "file_size", "inference_forecast", "inference_memory", "kernels", "known_here",
    "largest_batch", "metric_named", "needed", "read_limit", "register", "registered", "registry",
    "separable_versus_standard", "training_forecast", "training_memory", "training_target",
]  # fmt: skip
