"""Networks as data: specs, the only rounding, scaling, resolving into blocks of layers, and the JSON codec."""

from triscale.spec.cell import Cell, CellOperation
from triscale.spec.cell_layers import Branch, CellPlan, Pool
from triscale.spec.codec import (
    diff,
    dumps,
    from_dict,
    loads,
    preprocessing_from_dict,
    preprocessing_to_dict,
    read,
)
from triscale.spec.either import AnyNetwork, altered, any_from_document, content_hash, path_of_code, to_document
from triscale.spec.fields import FieldError
from triscale.spec.foreign_network import ForeignNetwork, Role, is_foreign_document
from triscale.spec.foreign_text import is_foreign_text
from triscale.spec.layer import Layer
from triscale.spec.layers import Block
from triscale.spec.network import (
    Activation,
    Around,
    Gate,
    Head,
    Network,
    Norm,
    Operator,
    SqueezeExcite,
    Stage,
    Stem,
)
from triscale.spec.preprocessing import (
    IMAGENET,
    INCEPTION,
    TFLITE,
    FitMode,
    Interpolation,
    Preprocessing,
    overridden,
    padded_crop,
    refuse_difference,
    scale_and_offset,
    value_text,
)
from triscale.spec.resolved import BlockRun, Resolved, resolve
from triscale.spec.rounding import Padding, Size
from triscale.spec.scaled import fix_stem_and_head, scale, scale_size

__all__ = [
    "IMAGENET",
    "INCEPTION",
    "TFLITE",
    "Activation",
    "AnyNetwork",
    "Around",
    "Block",
    "BlockRun",
    "Branch",
    "Cell",
    "CellOperation",
    "CellPlan",
    "FieldError",
    "FitMode",
    "ForeignNetwork",
    "Gate",
    "Head",
    "Interpolation",
    "Layer",
    "Network",
    "Norm",
    "Operator",
    "Padding",
    "Pool",
    "Preprocessing",
    "Resolved",
    "Role",
    "Size",
    "SqueezeExcite",
    "Stage",
    "Stem",
    "altered",
    "any_from_document",
    "content_hash",
    "diff",
    "dumps",
    "fix_stem_and_head",
    "from_dict",
    "is_foreign_document",
    "is_foreign_text",
    "loads",
    "overridden",
    "padded_crop",
    "path_of_code",
    "preprocessing_from_dict",
    "preprocessing_to_dict",
    "read",
    "refuse_difference",
    "resolve",
    "scale",
    "scale_and_offset",
    "scale_size",
    "to_document",
    "value_text",
]
