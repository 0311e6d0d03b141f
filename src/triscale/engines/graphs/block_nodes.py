"""The nodes of stems, blocks and heads."""

from collections.abc import Callable

from triscale.engines.graphs.layer_nodes import LayerWriter
from triscale.spec import Block, Layer
from triscale.spec.layer import pads

POOL_KERNEL, POOL_STRIDE = 3, 2
"""The max pooling of a stem."""


def write_stem(at: LayerWriter, block: Block, x: str) -> str:
    """Convolutions, then max pooling where the stem has it."""
    *deep, last = block.layers
    for index, layer in enumerate(deep):
        x = at.unit(x, layer, f"deep.{index}")
    x = at.unit(x, last, "")
    if not block.pool:
        return x
    around = pads(last.output, POOL_KERNEL, POOL_STRIDE, block.pool_padding)
    return at.pool(x, "pool", "max", POOL_KERNEL, POOL_STRIDE, around)


def write_head(at: LayerWriter, block: Block, x: str) -> str:
    """What is done to the last map, the mean, linear layers."""
    first = block.layers[0]
    if block.operator == "head":
        x = at.unit(x, first, "head")
    elif first.kind == "norm":
        x = at.norm(x, first, at.path("head", "norm"))
    elif "activation" in block.around:
        x = at.activation(x, "head", block.activation)
    x = at.mean(x, "pooled", keep=False)
    for layer in block.layers:
        if layer.kind == "linear":
            x = at.layer(x, layer, conv=at.path({"hidden": "hidden.0"}.get(layer.role, layer.role)))
    return x


def write_block(at: LayerWriter, block: Block, x: str) -> str:
    """Any block but a cell: one map in, one out."""
    return _BLOCKS[block.operator](at, block, x, {layer.role: layer for layer in block.layers})


def _chain(at: LayerWriter, x: str, layers: dict[str, Layer], *roles: str) -> str:
    """The layers of these roles, as far as there are any, one after the other."""
    for role in roles:
        if role == "squeeze" and role in layers:
            x = _squeeze_excite(at, x, layers)
        elif role in layers:
            x = at.unit(x, layers[role], role)
    return x


def _squeeze_excite(at: LayerWriter, x: str, layers: dict[str, Layer]) -> str:
    gate = at.mean(x, "squeeze", keep=True)
    gate = at.layer(gate, layers["squeeze"], conv=at.path("squeeze_excite", "reduce"))
    gate = at.layer(gate, layers["excite"], conv=at.path("squeeze_excite", "expand"))
    return at.draft.add("Mul", at.name("excite", "scaled"), x, gate)


def _joined(at: LayerWriter, block: Block, kept: str, branch: str) -> str:
    return at.draft.add("Add", at.name("skip", "sum"), kept, branch) if block.skip else branch


def _inverted(at: LayerWriter, block: Block, x: str, layers: dict[str, Layer]) -> str:
    """MBConv and its fused form."""
    roles = ("conv",) if block.operator == "fused_mbconv" else ("expand", "depthwise")
    return _joined(at, block, x, _chain(at, x, layers, *roles, "squeeze", "project"))


def _separable(at: LayerWriter, block: Block, x: str, layers: dict[str, Layer]) -> str:
    return _joined(at, block, x, _chain(at, x, layers, "depthwise", "pointwise"))


def _residual(at: LayerWriter, block: Block, x: str, layers: dict[str, Layer]) -> str:
    """A basic block or bottleneck: the activation follows the sum."""
    roles = ("conv1", "conv2") if block.operator == "basic" else ("reduce", "conv", "project")
    branch = _chain(at, x, layers, *roles, "squeeze")
    return at.activation(_joined(at, block, _chain(at, x, layers, "shortcut"), branch), "skip", block.activation)


def _preactivation(at: LayerWriter, block: Block, x: str, layers: dict[str, Layer]) -> str:
    """Norm and activation first; a projecting shortcut takes what they leave, an identity what they take."""
    entered = at.norm(x, layers["entry"], at.path("entry", "norm"))
    branch = _chain(at, entered, layers, "reduce", "conv", "project")
    kept = _chain(at, entered, layers, "shortcut") if "shortcut" in layers else x
    return _joined(at, block, kept, branch)


_BLOCKS: dict[str, Callable[[LayerWriter, Block, str, dict[str, Layer]], str]] = {
    "mbconv": _inverted,
    "fused_mbconv": _inverted,
    "separable": _separable,
    "basic": _residual,
    "bottleneck": _residual,
    "preactivation": _preactivation,
}
