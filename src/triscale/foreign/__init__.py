"""Networks of other people's Python: imported only where the user names them, built, counted, and known again."""

from triscale.foreign.any_network import (
    count_any,
    known_any,
    largest_batch_any,
    metrics_any,
    training_forecast_any,
)
from triscale.foreign.building import ForeignModel, build
from triscale.foreign.callables import callable_at, path_of
from triscale.foreign.counting import Counted, count, counted, known
from triscale.foreign.final_linear import last_layer, last_layer_prefix
from triscale.foreign.foreign_cost import ForeignCost, cost, file_size
from triscale.foreign.live_memory import inference_memory, training_memory
from triscale.foreign.probing import probe, require_probe
from triscale.foreign.scalable import Dimension, Dimensions, dimensions

__all__ = [
    "Counted", "Dimension", "Dimensions", "ForeignCost", "ForeignModel", "build", "callable_at", "cost", "count",
    "count_any", "counted", "dimensions", "file_size", "inference_memory", "known", "known_any", "largest_batch_any",
    "last_layer", "last_layer_prefix", "metrics_any", "path_of", "probe", "require_probe", "training_forecast_any",
    "training_memory",
]  # fmt: skip
