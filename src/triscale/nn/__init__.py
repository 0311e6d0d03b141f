"""Networks as torch modules, built from the same resolved blocks that `cost` counts."""

from triscale.nn.allocator import keep_freed_memory
from triscale.nn.device import device_name, device_of, devices, place, synchronize
from triscale.nn.kept import kept_plan
from triscale.nn.mode import evaluation_mode
from triscale.nn.model import Model, build, initialise, require_classes
from triscale.nn.plan import apply_plan, kernels_everywhere, kernels_missing
from triscale.nn.scratch import kept_kernels, measured_kernels
from triscale.nn.section import SectionModel
from triscale.nn.sync_norm import BatchNorm, synchronise_norms
from triscale.nn.tune import tune

__all__ = [
    "BatchNorm",
    "Model",
    "SectionModel",
    "apply_plan",
    "build",
    "device_name",
    "device_of",
    "devices",
    "evaluation_mode",
    "initialise",
    "keep_freed_memory",
    "kept_kernels",
    "kept_plan",
    "kernels_everywhere",
    "kernels_missing",
    "measured_kernels",
    "place",
    "require_classes",
    "synchronise_norms",
    "synchronize",
    "tune",
]
