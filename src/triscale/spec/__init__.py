"""Networks as data: specs, the only rounding, scaling, resolving into blocks of layers, and the JSON codec."""

from triscale.spec.codec import content_hash, diff, dumps, from_document, loads, read, to_document
from triscale.spec.fields import FieldError
from triscale.spec.network import (
    Activation,
    Gate,
    Head,
    Network,
    Norm,
    Operator,
    Preprocessing,
    SqueezeExcite,
    Stage,
    Stem,
)
from triscale.spec.resolve import Block, BlockRun, Layer, Resolved, resolve
from triscale.spec.rounding import Padding, Size
from triscale.spec.scale import fix_stem_and_head, scale, scale_size

__all__ = [
    "Activation", "Block", "BlockRun", "FieldError", "Gate", "Head", "Layer", "Network", "Norm", "Operator",
    "Padding", "Preprocessing", "Resolved", "Size", "SqueezeExcite", "Stage", "Stem", "content_hash", "diff", "dumps",
    "fix_stem_and_head", "from_document", "loads", "read", "resolve", "scale", "scale_size", "to_document",
]  # fmt: skip
