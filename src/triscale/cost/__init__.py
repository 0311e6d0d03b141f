"""What a network costs: counted, not measured, and without torch."""

from triscale.cost.count import Counts, count, count_block, count_layer, count_resolved
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
from triscale.cost.onednn import Kernels, kernels, known_here
from triscale.cost.summary import Comparison, Cost, StageCost, by_stage, cost, separable_versus_standard

__all__ = [
    "Comparison", "Cost", "Counts", "Forecast", "Kernels", "Optimizer", "Precision", "StageCost", "by_stage", "cost",
    "count", "count_block", "count_layer", "count_resolved", "inference_forecast", "inference_memory", "kernels",
    "known_here", "largest_batch", "separable_versus_standard", "training_forecast", "training_memory",
]  # fmt: skip
