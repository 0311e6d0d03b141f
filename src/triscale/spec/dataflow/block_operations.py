"""The operations of stems, blocks and heads: one map in, one out."""

from collections.abc import Callable

from triscale.spec.dataflow.block_writer import BlockWriter
from triscale.spec.dataflow.operations import Pooling
from triscale.spec.layer import Layer, pads
from triscale.spec.layers import Block

POOL_KERNEL, POOL_STRIDE = 3, 2
"""The max pooling of a stem."""

_Layers = dict[str, Layer]


def write_block(at: BlockWriter, block: Block, x: int) -> int:
    """Any block but a cell."""
    return _BLOCKS[block.operator](at, block, x, {layer.role: layer for layer in block.layers})


def _stem(at: BlockWriter, block: Block, x: int, layers: _Layers) -> int:
    """Convolutions, then max pooling where the stem has it."""
    *deep, last = layers.values()
    for index, layer in enumerate(deep):
        x = at.unit(x, layer, f"deep.{index}")
    x = at.unit(x, last, "")
    if not block.pool:
        return x
    around = pads(last.output, POOL_KERNEL, POOL_STRIDE, block.pool_padding)
    return at.pool(x, Pooling("max", POOL_KERNEL, POOL_STRIDE, around), "pool", block.output)


def _head(at: BlockWriter, block: Block, x: int, layers: _Layers) -> int:
    """What is done to the last map, the mean, linear layers."""
    if block.operator == "head":
        x = at.unit(x, layers["conv"], "head")
    elif "entry" in layers:
        x = at.norm(x, layers["entry"], at.path("head", "norm"))
    elif "activation" in block.around:
        x = at.activation(x, "head", block.activation)
    x = at.mean(x, "pooled", flat=True)
    for role, module in (("hidden", "hidden.0"), ("classifier", "classifier")):
        if role in layers:
            x = at.layer(x, layers[role], at.path(module))
    return x


def _chain(at: BlockWriter, x: int, layers: _Layers, *roles: str) -> int:
    """The layers of these roles, as far as there are any, one after the other."""
    for role in roles:
        if role == "squeeze" and role in layers:
            x = _squeeze_excite(at, x, layers)
        elif role in layers:
            x = at.unit(x, layers[role], role)
    return x


def _squeeze_excite(at: BlockWriter, x: int, layers: _Layers) -> int:
    gate = at.mean(x, "squeeze", flat=False)
    gate = at.layer(gate, layers["squeeze"], at.path("squeeze_excite", "reduce"))
    gate = at.layer(gate, layers["excite"], at.path("squeeze_excite", "expand"))
    return at.scale(x, gate, "excite")


def _inverted(at: BlockWriter, block: Block, x: int, layers: _Layers) -> int:
    """MBConv and its fused form."""
    roles = ("conv",) if block.operator == "fused_mbconv" else ("expand", "depthwise")
    branch = _chain(at, x, layers, *roles, "squeeze", "project")
    return at.sum(x, branch, "skip") if block.skip else branch


def _separable(at: BlockWriter, block: Block, x: int, layers: _Layers) -> int:
    branch = _chain(at, x, layers, "depthwise", "pointwise")
    return at.sum(x, branch, "skip") if block.skip else branch


def _residual(at: BlockWriter, block: Block, x: int, layers: _Layers) -> int:
    """A basic block or bottleneck: the activation follows the sum."""
    roles = ("conv1", "conv2") if block.operator == "basic" else ("reduce", "conv", "project")
    branch = _chain(at, x, layers, *roles, "squeeze")
    if block.skip:
        branch = at.sum(_chain(at, x, layers, "shortcut"), branch, "skip")
    return at.activation(branch, "skip", block.activation)


def _preactivation(at: BlockWriter, block: Block, x: int, layers: _Layers) -> int:
    """Norm and activation first; a projecting shortcut takes what they leave, an identity what they take."""
    entered = at.norm(x, layers["entry"], at.path("entry", "norm"))
    branch = _chain(at, entered, layers, "reduce", "conv", "project")
    if not block.skip:
        return branch
    return at.sum(_chain(at, entered, layers, "shortcut") if "shortcut" in layers else x, branch, "skip")


_BLOCKS: dict[str, Callable[[BlockWriter, Block, int, _Layers], int]] = {
    "stem": _stem,
    "mbconv": _inverted,
    "fused_mbconv": _inverted,
    "separable": _separable,
    "basic": _residual,
    "bottleneck": _residual,
    "preactivation": _preactivation,
    "head": _head,
    "classifier": _head,
}
