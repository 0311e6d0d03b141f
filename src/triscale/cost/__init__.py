"""What a network costs: counted, not measured, and without torch."""

from triscale.cost.count import Counts, count, count_block, count_layer, count_resolved

__all__ = ["Counts", "count", "count_block", "count_layer", "count_resolved"]
