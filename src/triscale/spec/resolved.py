"""From a network to distinct blocks of layers with repeat counts and every size filled in.

`cost` sums over what `resolve` yields and `nn` builds from it, so neither works out a channel, size or padding again.
"""

from collections.abc import Iterator
from typing import NamedTuple

from triscale.errors import InputError
from triscale.spec.cell_layers import Previous
from triscale.spec.layer import convolved
from triscale.spec.layers import Block
from triscale.spec.network import Network, SqueezeExcite, Stage
from triscale.spec.rounding import Padding, Size, round_channels, round_grouped, round_squeeze

MAX_LAYERS = 10_000
_MOST_LAYERS = 6
"""Of a block without a cell: a bottleneck with squeeze-excite and a projecting shortcut."""
_REDUCTION_LAYERS, _OPERATION_LAYERS = 3, 4
"""The most that makes an input or output of a cell fit, and that an operation of a cell has."""


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
        InputError: more than 10,000 layers, or images that are smaller than a kernel of the stem.
    """
    runs = [BlockRun(_stem(network), 1, 0)]
    for index, stage in enumerate(network.stages, 1):
        runs += _stage(network, stage, index, runs[-1].block)
    runs.append(BlockRun(_head(network, runs[-1].block), 1, -1))
    if sum(run.repeats * _most_layers(run.block) for run in runs) > MAX_LAYERS:  # else no layers are built for it
        _refuse_too_many_layers(network, runs)
    return Resolved(network, tuple(runs))


def _stage(network: Network, stage: Stage, index: int, before: Block) -> list[BlockRun]:
    """The blocks of a stage: the first strides, the input of a second one differs; a third cell's previous input."""
    runs: list[BlockRun] = []
    distinct = min(stage.repeats, 3 if stage.cell else 2)
    for place in range(distinct):
        block = _block(network, stage, before, 1 if place else stage.stride)
        repeats = stage.repeats - place if place == distinct - 1 else 1
        if runs and block == before:
            repeats += runs.pop().repeats
        runs.append(BlockRun(block, repeats, index))
        before = block
    return runs


def _most_layers(block: Block) -> int:
    """No fewer layers than the block has, told without building them."""
    if block.cell is None:
        return _MOST_LAYERS
    return 1 + _REDUCTION_LAYERS * (1 + len(block.cell.outputs)) + _OPERATION_LAYERS * len(block.cell.operations)


def _refuse_too_many_layers(network: Network, runs: list[BlockRun]) -> None:
    layers = sum(len(run.block.layers) * run.repeats for run in runs)
    if layers > MAX_LAYERS:
        raise InputError(
            f"{network.name} has {layers:,} layers, the most is {MAX_LAYERS:,}; use a smaller depth or phi."
        )


def _stem(network: Network) -> Block:
    stem = network.stem
    padding = stem.padding or network.padding
    size, stride = network.resolution, stem.stride
    for _ in range(1 + len(stem.deep)):
        size, stride = _left(network, "convolution", size, stem.kernel, stride, padding), 1
    pool_padding = stem.pool_padding or padding
    size = _left(network, "pooling", size, 3, 2, pool_padding) if stem.pool else size
    return Block(
        "stem", network.input_channels, stem.channels, stem.channels, 0, stem.kernel, stem.stride,
        network.activation, "sigmoid", padding, False, stem.pool, network.resolution, size,
        deep=stem.deep, around=stem.after, pool_padding=pool_padding,
    )  # fmt: skip


def _left(network: Network, what: str, size: Size, kernel: int, stride: int, padding: Padding) -> Size:
    """The size that a part of the stem leaves. Only a stem may lack padding: elsewhere every kernel fits every map."""
    left = convolved(size, kernel, stride, padding)
    if min(left) < 1:
        raise InputError(
            f"{network.name} cannot run on images of {_pixels(network.resolution)} px: the {kernel}x{kernel} {what}\n"
            f"in its stem has no padding and gets a map of {_pixels(size)} px. Use a larger resolution."
        )
    return left


def _pixels(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


def _block(network: Network, stage: Stage, before: Block, stride: int) -> Block:
    in_channels, size = before.out_channels, before.output
    residual, bottleneck = stage.operator in _RESIDUAL, stage.operator == "bottleneck"
    inner, activation = _inner(network, stage, in_channels), stage.activation or network.activation
    squeezed = stage.squeeze_excite
    kernel = 1 if stage.operator == "preactivation" else stage.kernel  # it strides in its first 1x1 convolution
    return Block(
        stage.operator, in_channels, inner, stage.channels * (len(stage.cell.outputs) if stage.cell else 1),
        _squeeze(squeezed, in_channels, inner or stage.channels, stage.channels) if squeezed else 0,
        stage.kernel, stride,
        activation, squeezed.gate if squeezed else "sigmoid", network.padding,
        stage.skip
        and stage.operator not in ("separable", "cell")
        and (residual or (stride == 1 and in_channels == stage.channels)), False,
        size, convolved(size, kernel, stride, network.padding),
        squeezed.activation or activation if squeezed else "relu",
        round_grouped(_on_divisor(inner * stage.reduce, network), stage.groups) if bottleneck else 0,
        stage.groups, stage.shortcut_kernel,
        cell=stage.cell,
        previous=Previous(before.in_channels, before.input, before.stride) if stage.cell and before.cell else None,
    )  # fmt: skip


def _head(network: Network, before: Block) -> Block:
    head, channels, size = network.head, before.out_channels, before.output
    operator, inner = ("head", head.channels) if head.channels else ("classifier", channels)
    return Block(
        operator, channels, inner, network.classes, 0, 1, 1,
        network.activation, "sigmoid", network.padding, False, True, size, (1, 1),
        hidden_channels=head.hidden or 0, around=head.before,
    )  # fmt: skip


_RESIDUAL = ("basic", "bottleneck", "preactivation")
_OF_OUTPUT = ("bottleneck", "preactivation")


def _inner(network: Network, stage: Stage, in_channels: int) -> int:
    """Inner width; 0 for a fused block that is a single convolution."""
    match stage.operator:
        case "mbconv" | "fused_mbconv" | "bottleneck" | "preactivation":
            if stage.operator == "fused_mbconv" and stage.expand == 1:
                return 0
            of_output = stage.operator in _OF_OUTPUT or stage.expand_of == "output"
            inner = _on_divisor((stage.channels if of_output else in_channels) * stage.expand, network)
            return round_grouped(inner, stage.groups)
        case "separable":
            return in_channels
        case _:
            return stage.channels


def _squeeze(squeezed: SqueezeExcite, in_channels: int, inner: int, out_channels: int) -> int:
    base = {"input": in_channels, "inner": inner, "output": out_channels}[squeezed.of]
    return round_squeeze(base * squeezed.ratio, squeezed.divisor)


def _on_divisor(wanted: float, network: Network) -> int:
    """Exact where the product is whole (0.07 * 100 is 7.000000000000001), on the network's divisor otherwise."""
    whole = int(wanted + 0.5)
    if abs(wanted - whole) <= 1e-9 * wanted:
        return whole
    return round_channels(wanted, network.channel_divisor, network.channel_floor)
