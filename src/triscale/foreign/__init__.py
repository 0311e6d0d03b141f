"""Networks of other people's Python: imported only where the user names them, built, counted, and known again."""

from triscale.foreign.build import ForeignModel, build
from triscale.foreign.callables import callable_at, path_of
from triscale.foreign.cost import ForeignCost, cost, file_size
from triscale.foreign.count import Counted, count, counted, known
from triscale.foreign.dimensions import Dimension, Dimensions, dimensions
from triscale.foreign.memory import inference_memory, training_memory
from triscale.foreign.probe import probe, require_probe

__all__ = [
    "Counted", "Dimension", "Dimensions", "ForeignCost", "ForeignModel", "build", "callable_at", "cost", "count",
    "counted", "dimensions", "file_size", "inference_memory", "known", "path_of", "probe", "require_probe",
    "training_memory",
]  # fmt: skip
