"""From a resolved network to steps: what each block does to its maps, in the order of the data."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from triscale.errors import InputError
from triscale.layer_weights import module_names
from triscale.runtime.steps import Combine, Convolve, Depthwise, Enter, Leave, Map, MaxPool, Mean, Step
from triscale.spec import Activation, Block, Layer, Network, resolve
from triscale.spec.layer import pads

POOL_KERNEL, POOL_STRIDE = 3, 2
"""The max pooling of a stem."""


class Steps(NamedTuple):
    """The steps of a network and the maps that they name by number."""

    steps: tuple[Step, ...]
    maps: tuple[Map, ...]


def steps_of(network: Network) -> Steps:
    """The steps that compute a network's logits from one image.

    Raises:
        InputError: there are blocks that the runtime does not know, which are named.
    """
    resolved = resolve(network)
    draft = _Draft()
    x = draft.new("image", network.input_channels, network.resolution, planes=True)
    draft.steps.append(Enter(name="image", y=x))
    for (_, block), module in zip(resolved.flat(), module_names(resolved), strict=True):
        if block.operator not in _BLOCKS:
            raise InputError(
                f"{network.name} cannot be compiled: {module} is a {block.operator}, which the runtime does not know.\n"
                "Export it to .onnx."
            )
        x = _BLOCKS[block.operator](_Writer(draft, module), block, x)
    draft.steps.append(Leave(name="logits", x=x))
    return Steps(tuple(draft.steps), tuple(draft.maps))


@dataclass(frozen=True)
class _Draft:
    """The lists while they grow."""

    steps: list[Step] = field(default_factory=list)
    maps: list[Map] = field(default_factory=list)

    def new(self, name: str, channels: int, size: tuple[int, int], *, planes: bool = False) -> int:
        self.maps.append(Map(name, channels, size, planes))
        return len(self.maps) - 1


@dataclass(frozen=True)
class _Writer:
    """Appends the steps of one block; `module` is the block's name in the built network."""

    draft: _Draft
    module: str

    def path(self, *names: str) -> str:
        return ".".join(name for name in (self.module, *names) if name)

    def unit(self, x: int, layer: Layer, unit: str) -> int:
        """Convolution, norm, activation: a `ConvUnit` called `unit`."""
        return self.layer(x, layer, self.path(unit, "conv"), self.path(unit, "norm"))

    def layer(self, x: int, layer: Layer, conv: str, norm: str = "") -> int:
        y = self.draft.new(conv, layer.out_channels, layer.output)
        name = conv.removesuffix(".conv")
        if layer.groups == layer.in_channels == layer.out_channels > 1:
            self.draft.steps.append(Depthwise(name=name, x=x, y=y, layer=layer, conv=conv, norm=norm))
        else:
            activation = layer.activation
            self.draft.steps.append(
                Convolve(name=name, x=x, y=y, layer=layer, conv=conv, norm=norm, activation=activation)
            )
        return y

    def combine(self, name: str, x: int, **parts: object) -> int:
        """A new map of the size of x."""
        of = self.draft.maps[x]
        y = self.draft.new(self.path(name), of.channels, of.size)
        self.draft.steps.append(Combine(name=self.path(name), x=x, y=y, **parts))  # type: ignore[arg-type]
        return y

    def mean(self, x: int, name: str) -> int:
        """The mean of each channel; a depthwise convolution in front of it takes it on the way."""
        y = self.draft.new(self.path(name), self.draft.maps[x].channels, (1, 1))
        last = self.draft.steps[-1]
        if isinstance(last, Depthwise) and last.y == x:
            self.draft.steps[-1] = replace(last, mean=y)
        else:
            self.draft.steps.append(Mean(name=self.path(name), x=x, y=y))
        return y

    def gate(self, x: int, layers: dict[str, Layer]) -> int:
        """The gate of squeeze-excite, a vector."""
        y = self.mean(x, "squeeze_excite.mean")
        y = self.layer(y, layers["squeeze"], self.path("squeeze_excite", "reduce"))
        return self.layer(y, layers["excite"], self.path("squeeze_excite", "expand"))

    def joined(self, x: int, kept: int | None, activation: Activation | None) -> int:
        """The sum with what was kept, and the activation after it: at the end of a convolution where one was last."""
        last = self.draft.steps[-1]
        if isinstance(last, Convolve) and last.y == x and last.activation is None:
            self.draft.steps[-1] = replace(last, residual=kept, activation=activation)
            return x
        return (
            x if kept is None and activation is None else self.combine("sum", x, residual=kept, activation=activation)
        )


def _roles(block: Block) -> dict[str, Layer]:
    return {layer.role: layer for layer in block.layers}


def _stem(at: _Writer, block: Block, x: int) -> int:
    *deep, last = block.layers
    for index, layer in enumerate(deep):
        x = at.unit(x, layer, f"deep.{index}")
    x = at.unit(x, last, "")
    if not block.pool:
        return x
    y = at.draft.new(at.path("pool"), last.out_channels, block.output)
    pad = pads(last.output, POOL_KERNEL, POOL_STRIDE, block.pool_padding)
    at.draft.steps.append(MaxPool(name=at.path("pool"), x=x, y=y, kernel=POOL_KERNEL, stride=POOL_STRIDE, pad=pad))
    return y


def _head(at: _Writer, block: Block, x: int) -> int:
    first = block.layers[0]
    if block.operator == "head":
        x = at.unit(x, first, "head")
    elif first.kind == "norm":
        x = at.combine("head", x, norm="head.norm", layer=first, activation=first.activation)
    elif "activation" in block.around:
        x = at.combine("head", x, activation=block.activation)
    x = at.mean(x, "mean")
    for layer in block.layers:
        if layer.kind == "linear":
            x = at.layer(x, layer, {"hidden": "hidden.0"}.get(layer.role, layer.role))
    return x


def _chain(at: _Writer, x: int, layers: dict[str, Layer], *roles: str) -> int:
    for role in roles:
        if role == "squeeze" and role in layers:
            x = at.combine("squeeze_excite", x, gate=at.gate(x, layers))
        elif role in layers:
            x = at.unit(x, layers[role], role)
    return x


def _inverted(at: _Writer, block: Block, x: int) -> int:
    """MBConv and its fused form."""
    roles = ("conv",) if block.operator == "fused_mbconv" else ("expand", "depthwise")
    y = _chain(at, x, _roles(block), *roles, "squeeze", "project")
    return at.joined(y, x if block.skip else None, None)


def _separable(at: _Writer, block: Block, x: int) -> int:
    return _chain(at, x, _roles(block), "depthwise", "pointwise")


def _residual(at: _Writer, block: Block, x: int) -> int:
    """A basic block or bottleneck: the activation follows the sum."""
    roles, layers = ("conv1", "conv2") if block.operator == "basic" else ("reduce", "conv", "project"), _roles(block)
    kept = (at.unit(x, layers["shortcut"], "shortcut") if "shortcut" in layers else x) if block.skip else None
    y = _chain(at, x, layers, *roles)
    if "squeeze" in layers:
        return at.combine("squeeze_excite", y, gate=at.gate(y, layers), residual=kept, activation=block.activation)
    return at.joined(y, kept, block.activation)


def _preactivation(at: _Writer, block: Block, x: int) -> int:
    """Norm and activation first; a projecting shortcut takes what they leave, an identity what they take."""
    layers = _roles(block)
    entry = layers["entry"]
    entered = at.combine("entry", x, norm=at.path("entry", "norm"), layer=entry, activation=entry.activation)
    kept = at.unit(entered, layers["shortcut"], "shortcut") if "shortcut" in layers else x
    y = _chain(at, entered, layers, "reduce", "conv", "project")
    return at.joined(y, kept if block.skip else None, None)


_BLOCKS: dict[str, Callable[[_Writer, Block, int], int]] = {
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
