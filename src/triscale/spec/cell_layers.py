"""A cell's plan: what is done to each state, in layers and poolings with every size filled in.

The cells are those of NASNet and AmoebaNet (arXiv 1707.07012, 1802.01548) with the details of the authors' code
(`tensorflow/tpu`, `models/official/amoeba_net`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from triscale.spec.cell import INPUTS, Cell, CellOperation
from triscale.spec.layer import Layer, Pad, convolution, convolved, pads
from triscale.spec.network import Activation
from triscale.spec.rounding import Padding, Size


class Pool(NamedTuple):
    """A pooling in which padded pixels count for nothing; `pad` is (top, bottom, left, right) in pixels."""

    kind: Literal["max", "avg"]
    kernel: int
    stride: int
    channels: int
    input: Size
    output: Size
    pad: Pad
    padding: Padding


class Branch(NamedTuple):
    """What is done to one map: nothing, a pooling and a chain of layers, or a factorized reduction.

    Attributes:
        source: the state it takes; for what makes states 0 and 1, the cell's input (0 current, 1 previous).
        operation: of the cell; None where a map is made to fit.
        pool: comes first.
        layers: in the order of the data. Of a factorized reduction: two parallel convolutions, the norm of both.
    """

    source: int
    operation: CellOperation | None = None
    pool: Pool | None = None
    layers: tuple[Layer, ...] = ()

    @property
    def activated(self) -> bool:
        """Whether it begins with the activation, which all branches of a state can share."""
        return bool(self.layers) and self.layers[0].before is not None

    @property
    def reduces(self) -> bool:
        """Whether it is a factorized reduction."""
        return bool(self.layers) and self.layers[-1].kind == "norm"


class CellPlan(NamedTuple):
    """The branches of a cell: those that make states 0 and 1, the operations, those that make the outputs fit."""

    current: Branch
    previous: Branch
    operations: tuple[Branch, ...]
    outputs: tuple[Branch, ...]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Every layer once."""
        branches = (self.current, self.previous, *self.operations, *self.outputs)
        return tuple(layer for branch in branches for layer in branch.layers)


class Previous(NamedTuple):
    """A cell's second input, which was the input of the cell before: what it has, and the stride of that cell."""

    channels: int
    size: Size
    stride: int


class _Map(NamedTuple):
    channels: int
    size: Size


@lru_cache(maxsize=1 << 12)
def plan_cell(
    cell: Cell, *, channels: int, size: Size, previous: Previous | None,
    filters: int, stride: int, activation: Activation, padding: Padding,
) -> CellPlan:  # fmt: skip
    """The plan of one cell.

    Args:
        cell: its operations.
        channels, size: of the current input.
        previous: the other input; None for a first cell, which takes the current one in its place, untouched.
        filters: channels of every state that the cell makes.
        stride: of the operations on states 0 and 1.
        activation, padding: of the network. An even kernel cannot be padded alike on both sides and is padded as SAME.
    """
    draft = _Draft(filters, activation, padding)
    current = Branch(0, layers=draft.project("current", _Map(channels, size)))
    if previous is None:
        before, fitted = _Map(channels, size), Branch(1)
    else:  # by stride, not by size: at 1x1 both sizes are one, and params must not depend on the resolution
        before = _Map(previous.channels, previous.size)
        fitted = Branch(1, layers=draft.fit("previous", before, previous.stride, activation))
    states = [_Map(filters, size), _Map(filters, size) if fitted.layers else before]
    operations = []
    for index, (operation, source) in enumerate(zip(cell.operations, cell.inputs, strict=True)):
        step = stride if source < INPUTS else 1
        operations.append(draft.operation(f"operation{index}", operation, source, states[source], step))
        if index % 2:
            states.append(_Map(filters, convolved(size, 1, stride, padding)))
    outputs = (
        Branch(state, layers=draft.fit(f"output{place}", states[state], stride if state < INPUTS else 1, None))
        for place, state in enumerate(cell.outputs)
    )
    return CellPlan(current, fitted, tuple(operations), tuple(outputs))


@dataclass(frozen=True)
class _Draft:
    """Makes the branches of one cell."""

    filters: int
    activation: Activation
    padding: Padding

    def project(self, role: str, source: _Map, stride: int = 1, *, plain: bool = False) -> tuple[Layer, ...]:
        """Activation (none if `plain`), 1x1 convolution, norm."""
        before = None if plain else self.activation
        channels = (source.channels, self.filters)
        return (convolution(f"{role}.project", channels, source.size, self.padding, stride=stride, before=before),)

    def fit(self, role: str, source: _Map, stride: int, activation: Activation | None) -> tuple[Layer, ...]:
        """What gives a map the size and channels of a state: a factorized reduction, a projection or nothing."""
        if stride > 1:
            return tuple(self._reduction(role, source, activation))
        if source.channels != self.filters:
            return self.project(role, source, plain=activation is None)
        return ()

    def operation(self, role: str, operation: CellOperation, source: int, on: _Map, stride: int) -> Branch:
        """One of a cell's operations."""
        layers: tuple[Layer, ...] = ()
        if "pool" in operation:
            pool = self._pool(operation, on, stride)
            if on.channels != self.filters:
                layers = self.project(role, _Map(on.channels, pool.output), plain=True)
            return Branch(source, operation, pool, layers)
        if operation == "conv_3x3":
            layers = tuple(self._bottleneck(role, on, stride))
        elif operation.startswith("separable"):
            layers = tuple(self._separable(role, on, int(operation[-1]), stride))
        elif operation == "conv_1x1" or stride > 1 or on.channels != self.filters:
            layers = self.project(role, on, stride)
        return Branch(source, operation, None, layers)

    def _reduction(self, role: str, source: _Map, activation: Activation | None) -> Iterator[Layer]:
        """Every second pixel to one half of the channels, the pixels right below those to the other; one norm."""
        (height, width), half = source.size, self.filters // 2
        output = convolved(source.size, 1, 2, "same")
        shifted = (-1, height % 2, -1, width % 2)  # no pixel is right below the last one of an odd side: a zero is
        for name, channels, pad in (("even", self.filters - half, (0, 0, 0, 0)), ("odd", half, shifted)):
            yield Layer(
                f"{role}.{name}", source.channels, channels, 1, 2, 1, False, False, None,
                source.size, output, pad, before=activation,
            )  # fmt: skip
        both = self.filters
        yield Layer(f"{role}.norm", both, both, 1, 1, both, False, True, None, output, output, (0, 0, 0, 0), "norm")

    def _pool(self, operation: CellOperation, on: _Map, stride: int) -> Pool:
        kernel = int(operation[-1])
        padding = self.padding if kernel % 2 else "same"
        kind: Literal["max", "avg"] = "max" if operation.startswith("max") else "avg"
        output, pad = convolved(on.size, kernel, stride, padding), pads(on.size, kernel, stride, padding)
        return Pool(kind, kernel, stride, on.channels, on.size, output, pad, padding)

    def _bottleneck(self, role: str, on: _Map, stride: int) -> Iterator[Layer]:
        inner, act = self.filters // 4, self.activation
        yield convolution(
            f"{role}.reduce", (on.channels, inner), on.size, self.padding, activation=act, before=act
        )  # fmt: skip
        conv = convolution(
            f"{role}.conv", (inner, inner), on.size, self.padding, kernel=3, stride=stride, activation=act
        )
        yield conv
        yield convolution(f"{role}.project", (inner, self.filters), conv.output, self.padding)

    def _separable(self, role: str, on: _Map, kernel: int, stride: int) -> Iterator[Layer]:
        """Depthwise and 1x1 with one norm, twice; the stride is the first one's."""
        channels, size, before = on.channels, on.size, self.activation
        for turn in (1, 2):
            depthwise = convolution(
                f"{role}.depthwise{turn}", (channels, channels), size, self.padding,
                kernel=kernel, stride=stride, groups=channels, norm=False, before=before if turn == 1 else None,
            )  # fmt: skip
            yield depthwise
            channels, size, stride = self.filters, depthwise.output, 1
            yield convolution(
                f"{role}.pointwise{turn}", (depthwise.out_channels, channels), size, self.padding,
                activation=before if turn == 1 else None,
            )  # fmt: skip
