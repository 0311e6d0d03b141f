"""From a network to distinct blocks of layers with repeat counts and every size filled in.

`cost` sums over what `resolve` yields and `nn` builds from it, so neither works out a channel, size or padding again.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from triscale.errors import InputError
from triscale.spec.network import Activation, Gate, Network, Stage
from triscale.spec.rounding import Padding, Size, output_side, pad_side, round_channels, round_squeeze

MAX_LAYERS = 10_000
_MOST_LAYERS = 5
"""Of a single block: expand, depthwise, squeeze, excite, project."""


class Layer(NamedTuple):
    """A convolution (or, with `linear`, a fully connected layer) and what follows it: bias or norm, then an activation.

    `pad` is (top, bottom, left, right) in pixels; sizes are (height, width).
    """

    role: str
    in_channels: int
    out_channels: int
    kernel: int
    stride: int
    groups: int
    bias: bool
    norm: bool
    activation: Activation | Gate | None
    input: Size
    output: Size
    pad: tuple[int, int, int, int]
    linear: bool = False


class Block(NamedTuple):
    """One block: all that decides its layers.

    `operator` is that of a stage, or "stem", "head" (1x1 convolution, pooling, classifier) or "classifier".
    For the last two, `inner_channels` is the width that is pooled and `out_channels` the classes.
    """

    operator: str
    in_channels: int
    inner_channels: int
    out_channels: int
    squeeze_channels: int
    kernel: int
    stride: int
    activation: Activation
    gate: Gate
    padding: Padding
    skip: bool
    pool: bool
    input: Size
    output: Size

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in the order of the data; a projecting shortcut comes last."""
        return _layers(self)


class BlockRun(NamedTuple):
    """`repeats` equal blocks in a row; `stage` is 0 for the stem, 1.. for stages, -1 for the head."""

    block: Block
    repeats: int
    stage: int


class Resolved(NamedTuple):
    """A network with every size filled in; `runs` are in the order of the data."""

    network: Network
    runs: tuple[BlockRun, ...]

    def flat(self) -> Iterator[tuple[int, Block]]:
        """Every (stage, block), repeats expanded."""
        for run in self.runs:
            for _ in range(run.repeats):
                yield run.stage, run.block


def resolve(network: Network) -> Resolved:
    """All blocks of the network, distinct ones once with their repeat count.

    Raises:
        InputError: more than 10,000 layers.
    """
    stem = _stem(network)
    runs = [BlockRun(stem, 1, 0)]
    channels, size = stem.out_channels, stem.output
    for index, stage in enumerate(network.stages, 1):
        first = _block(network, stage, channels, stage.stride, size)
        channels, size = first.out_channels, first.output
        if stage.repeats > 1:
            rest = _block(network, stage, channels, 1, size)
            if rest != first:
                runs.append(BlockRun(first, 1, index))
            runs.append(BlockRun(rest, stage.repeats - (rest != first), index))
        else:
            runs.append(BlockRun(first, 1, index))
    runs.append(BlockRun(_head(network, channels, size), 1, -1))
    if sum(run.repeats for run in runs) * _MOST_LAYERS > MAX_LAYERS:  # else no block's layers need to be built for it
        _refuse_too_many_layers(network, runs)
    return Resolved(network, tuple(runs))


def _refuse_too_many_layers(network: Network, runs: list[BlockRun]) -> None:
    layers = sum(len(run.block.layers) * run.repeats for run in runs)
    if layers > MAX_LAYERS:
        raise InputError(
            f"{network.name} has {layers:,} layers, the most is {MAX_LAYERS:,}; use a smaller depth or phi."
        )


def _stem(network: Network) -> Block:
    stem = network.stem
    size = _convolved(network.resolution, stem.kernel, stem.stride, network.padding)
    size = _convolved(size, 3, 2, network.padding) if stem.pool else size
    return Block(
        "stem", network.input_channels, stem.channels, stem.channels, 0, stem.kernel, stem.stride,
        network.activation, "sigmoid", network.padding, False, stem.pool, network.resolution, size,
    )  # fmt: skip


def _block(network: Network, stage: Stage, in_channels: int, stride: int, size: Size) -> Block:
    if stage.operator == "mbconv":
        inner = _inner(in_channels, stage.expand, network.channel_divisor)
    elif stage.operator == "bottleneck":
        inner = _inner(stage.channels, stage.expand, network.channel_divisor)
    else:
        inner = in_channels if stage.operator == "separable" else stage.channels
    squeeze, gate = 0, "sigmoid"
    if stage.squeeze_excite is not None:
        base = in_channels if stage.squeeze_excite.of == "input" else inner
        squeeze, gate = round_squeeze(base * stage.squeeze_excite.ratio), stage.squeeze_excite.gate
    residual = stage.operator in ("basic", "bottleneck")
    skip = (
        stage.skip and stage.operator != "separable" and (residual or (stride == 1 and in_channels == stage.channels))
    )
    return Block(
        stage.operator, in_channels, inner, stage.channels, squeeze, stage.kernel, stride,
        stage.activation or network.activation, gate, network.padding, skip, False,  # type: ignore[arg-type]
        size, _convolved(size, stage.kernel, stride, network.padding),
    )  # fmt: skip


def _head(network: Network, channels: int, size: Size) -> Block:
    operator, inner = ("head", network.head.channels) if network.head.channels else ("classifier", channels)
    return Block(
        operator, channels, inner, network.classes, 0, 1, 1,
        network.activation, "sigmoid", network.padding, False, True, size, (1, 1),
    )  # fmt: skip


def _inner(channels: int, expand: float, divisor: int) -> int:
    """Inner width; exact where the product is whole (0.07 * 100 is 7.000000000000001), on the divisor otherwise."""
    wanted = channels * expand
    whole = int(wanted + 0.5)
    return whole if abs(wanted - whole) <= 1e-9 * wanted else round_channels(wanted, divisor)


def _convolved(size: Size, kernel: int, stride: int, padding: Padding) -> Size:
    return output_side(size[0], kernel, stride, padding), output_side(size[1], kernel, stride, padding)


@lru_cache(maxsize=1 << 16)
def _layers(block: Block) -> tuple[Layer, ...]:
    return tuple(_LAYERS[block.operator](block))


def _conv(
    block: Block, role: str, channels: tuple[int, int], size: Size, *,
    kernel: int = 1, stride: int = 1, groups: int = 1, bias: bool = False, norm: bool = True,
    activation: Activation | Gate | None = None,
) -> Layer:  # fmt: skip
    if stride == 1:  # an odd kernel keeps the size under either padding, and most layers are of this kind
        before = kernel // 2
        return Layer(
            role, *channels, kernel, 1, groups, bias, norm, activation, size, size, (before, before, before, before)
        )
    output = _convolved(size, kernel, stride, block.padding)
    pad = (*pad_side(size[0], kernel, stride, block.padding), *pad_side(size[1], kernel, stride, block.padding))
    return Layer(role, *channels, kernel, stride, groups, bias, norm, activation, size, output, pad)


def _stem_layers(b: Block) -> Iterator[Layer]:
    yield _conv(
        b, "conv", (b.in_channels, b.out_channels), b.input, kernel=b.kernel, stride=b.stride, activation=b.activation
    )


def _mbconv_layers(b: Block) -> Iterator[Layer]:
    if b.inner_channels != b.in_channels:
        yield _conv(b, "expand", (b.in_channels, b.inner_channels), b.input, activation=b.activation)
    inner = (b.inner_channels, b.inner_channels)
    yield _conv(
        b, "depthwise", inner, b.input,
        kernel=b.kernel, stride=b.stride, groups=b.inner_channels, activation=b.activation,
    )  # fmt: skip
    if b.squeeze_channels:
        one = (1, 1)
        squeeze, excite = (b.inner_channels, b.squeeze_channels), (b.squeeze_channels, b.inner_channels)
        yield _conv(b, "squeeze", squeeze, one, bias=True, norm=False, activation=b.activation)
        yield _conv(b, "excite", excite, one, bias=True, norm=False, activation=b.gate)
    yield _conv(b, "project", (b.inner_channels, b.out_channels), b.output)


def _separable_layers(b: Block) -> Iterator[Layer]:
    inner = (b.in_channels, b.in_channels)
    yield _conv(
        b, "depthwise", inner, b.input, kernel=b.kernel, stride=b.stride, groups=b.in_channels, activation=b.activation
    )  # fmt: skip
    yield _conv(b, "pointwise", (b.in_channels, b.out_channels), b.output, activation=b.activation)


def _basic_layers(b: Block) -> Iterator[Layer]:
    yield _conv(
        b, "conv1", (b.in_channels, b.out_channels), b.input, kernel=b.kernel, stride=b.stride, activation=b.activation
    )
    yield _conv(b, "conv2", (b.out_channels, b.out_channels), b.output, kernel=b.kernel)
    yield from _shortcut(b)


def _bottleneck_layers(b: Block) -> Iterator[Layer]:
    yield _conv(b, "reduce", (b.in_channels, b.inner_channels), b.input, activation=b.activation)
    inner = (b.inner_channels, b.inner_channels)
    yield _conv(b, "conv", inner, b.input, kernel=b.kernel, stride=b.stride, activation=b.activation)
    yield _conv(b, "project", (b.inner_channels, b.out_channels), b.output)
    yield from _shortcut(b)


def _shortcut(b: Block) -> Iterator[Layer]:
    if b.skip and (b.stride != 1 or b.in_channels != b.out_channels):
        yield _conv(b, "shortcut", (b.in_channels, b.out_channels), b.input, stride=b.stride)


def _head_layers(b: Block) -> Iterator[Layer]:
    yield _conv(b, "conv", (b.in_channels, b.inner_channels), b.input, activation=b.activation)
    yield from _classifier_layers(b)


def _classifier_layers(b: Block) -> Iterator[Layer]:
    one = (1, 1)
    yield Layer(
        "classifier", b.inner_channels, b.out_channels, 1, 1, 1, True, False, None, one, one, (0, 0, 0, 0), linear=True
    )


_LAYERS = {
    "stem": _stem_layers,
    "mbconv": _mbconv_layers,
    "separable": _separable_layers,
    "basic": _basic_layers,
    "bottleneck": _bottleneck_layers,
    "head": _head_layers,
    "classifier": _classifier_layers,
}
