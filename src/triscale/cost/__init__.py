"""What a network costs: counted, not measured, and without torch."""

from triscale.cost.count import Counts, count, count_block, count_layer, count_resolved
from triscale.cost.memory import Optimizer, Precision, inference_memory, largest_batch, training_memory
from triscale.cost.summary import Comparison, Cost, StageCost, by_stage, cost, separable_versus_standard

__all__ = [
    "Comparison", "Cost", "Counts", "Optimizer", "Precision", "StageCost", "by_stage", "cost", "count", "count_block",
    "count_layer", "count_resolved", "inference_memory", "largest_batch", "separable_versus_standard",
    "training_memory",
]  # fmt: skip
