"""AmoebaNet-B beside a second implementation, written from the published description, not from a cell's plan."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from torch import Tensor, nn

from tests.nn.networks import randomise
from tests.nn.test_counts import measured
from tests.spec.strategies import networks
from triscale.costs import count
from triscale.families import network
from triscale.families.amoebanet import amoebanet
from triscale.nn import Model, build
from triscale.nn.cells import CellModule, CellPool, FactorizedReduction
from triscale.nn.primitives import StochasticDepth
from triscale.spec import Block, Cell, Head, Network, Pool, Stage, Stem, resolve

NORMAL = (
    [
        "1x1", "max_pool_3x3", "none", "separable_3x3_2", "1x1", "separable_3x3_2",
        "1x1", "none", "avg_pool_3x3", "1x1",
    ],
    [1, 1, 1, 0, 1, 0, 2, 2, 1, 5],
    (0, 3, 4, 6),
)  # fmt: skip
REDUCTION = (
    [
        "max_pool_2x2", "max_pool_3x3", "none", "3x3", "dil_2_separable_5x5_2", "max_pool_3x3",
        "none", "separable_3x3_2", "avg_pool_3x3", "1x1",
    ],
    [0, 0, 2, 1, 2, 2, 3, 1, 4, 3],
    (5, 6),
)  # fmt: skip
"""AmoebaNet-B's operations, the states they take and the states that are the output, in the authors' words."""


def small(height: int = 65, width: int = 65, cells: int = 1) -> Network:
    """AmoebaNet-B with 16 filters, without drops."""
    of = amoebanet("small", cells=cells, filters=16, side=65, classes=5)
    return replace(of, resolution=(height, width), stochastic_depth=0.0, head=replace(of.head, dropout=0.0))


def same(x: Tensor, kernel: int, stride: int, value: float) -> Tensor:
    """Padded so that a valid window leaves ceil(side / stride); the odd pixel comes last."""
    needed = [max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in (x.shape[3], x.shape[2])]
    return F.pad(x, [pad for total in needed for pad in (total // 2, total - total // 2)], value=value)


class Reference:
    """Takes the weights of a model in the order of the data; a shape that is not expected is rejected."""

    def __init__(self, model: Model) -> None:
        self.training, self.classifier = model.training, model.classifier
        self.weights = [m.weight for m in model.modules() if isinstance(m, nn.Conv2d)][::-1]
        self.norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)][::-1]

    def conv(self, x: Tensor, out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> Tensor:
        """A convolution without bias, SAME."""
        weight = self.weights.pop()
        assert weight.shape == (out, x.shape[1] // groups, kernel, kernel)
        return F.conv2d(same(x, kernel, stride, 0.0), weight, None, stride, 0, 1, groups)

    def norm(self, x: Tensor) -> Tensor:
        """Batch norm, by the formula."""
        norm = self.norms.pop()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        mean, var = norm.running_mean, norm.running_var
        if self.training:
            mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        scaled = (x - mean[:, None, None]) / torch.sqrt(var[:, None, None] + 0.001)
        return scaled * norm.weight[:, None, None] + norm.bias[:, None, None]

    def separable(self, x: Tensor, out: int, kernel: int, stride: int) -> Tensor:
        """A separable convolution, twice."""
        for step in (stride, 1):
            x = self.conv(x.relu(), x.shape[1], kernel, step, groups=x.shape[1])
            x = self.norm(self.conv(x, out))
        return x

    def pool(self, x: Tensor, name: str, stride: int) -> Tensor:
        """A pooling that sees no padded pixel."""
        kernel = int(name[-1])
        if name.startswith("max"):
            return F.max_pool2d(same(x, kernel, stride, -torch.inf), kernel, stride)
        inside = F.avg_pool2d(same(torch.ones_like(x), kernel, stride, 0.0), kernel, stride)
        return F.avg_pool2d(same(x, kernel, stride, 0.0), kernel, stride) / inside

    def operation(self, name: str, x: Tensor, out: int, stride: int) -> Tensor:
        """One operation on a state."""
        if "separable" in name:
            return self.separable(x, out, int(name[-3]), stride)
        if "pool" in name:
            x = self.pool(x, name, stride)
            return x if x.shape[1] == out else self.norm(self.conv(x, out))
        if name == "3x3":
            x = self.norm(self.conv(x.relu(), out // 4))
            x = self.norm(self.conv(x.relu(), out // 4, 3, stride))
            return self.norm(self.conv(x.relu(), out))
        if name == "none" and stride == 1 and x.shape[1] == out:
            return x
        return self.norm(self.conv(x.relu(), out, 1, stride))

    def cell(self, x: Tensor, previous: Tensor | None, out: int, stride: int) -> Tensor:
        """A cell; `previous` is None for the first."""
        operations, inputs, outputs = REDUCTION if stride == 2 else NORMAL
        states = [self.norm(self.conv(x.relu(), out))]
        if previous is None:
            states.append(x)
        elif previous.shape[2:] != x.shape[2:]:
            previous = previous.relu()
            even = self.conv(previous[:, :, ::2, ::2], out // 2)
            odd = self.conv(F.pad(previous, (0, 1, 0, 1))[:, :, 1:, 1:][:, :, ::2, ::2], out // 2)
            states.append(self.norm(torch.cat([even, odd], 1)))
        elif previous.shape[1] != out:
            states.append(self.norm(self.conv(previous.relu(), out)))
        else:
            states.append(previous)
        for i in range(0, len(operations), 2):
            one, two = (
                self.operation(operations[j], states[inputs[j]], out, stride if inputs[j] < 2 else 1)
                for j in (i, i + 1)
            )
            states.append(one + two)
        return torch.cat([states[i] for i in outputs], 1)

    def logits(self, x: Tensor, filters: int, cells: int) -> Tensor:
        """The whole network."""
        x = F.conv2d(x, self.weights.pop(), None, 2)
        maps: list[Tensor | None] = [None, self.norm(x)]
        plan = [(filters // 4, 2), (filters // 2, 2), *[(filters, 1)] * cells]
        for wider in (2 * filters, 4 * filters):
            plan += [(wider, 2), *[(wider, 1)] * cells]
        for out, stride in plan:
            x, before = maps[-1], maps[-2]  # type: ignore[assignment]
            maps.append(self.cell(x, before, out, stride))
        assert not self.weights
        assert not self.norms
        last = maps[-1]
        assert last is not None
        return self.classifier(last.relu().mean((2, 3)))  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """The maps are so small that threads would wait for each other most of the time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("size", "cells"), [((65, 65), 2), ((64, 64), 1), ((47, 50), 1), ((90, 33), 1)], ids=str)
def test_logits_match_a_second_implementation(size: tuple[int, int], cells: int) -> None:
    of = small(*size, cells=cells)
    model = build(of).eval()
    randomise(model)
    x = torch.randn(2, 3, *size)

    with torch.no_grad():
        expected, found = Reference(model).logits(x, 16, cells), model(x)

    assert expected.std() > 1e-3
    assert (expected - found).abs().max() <= 1e-5 * expected.abs().max()


def test_gradients_match_a_second_implementation_in_training() -> None:
    torch.manual_seed(0)
    model = build(small(49, 49)).double()
    randomise(model)
    x = torch.randn(3, 3, 49, 49, dtype=torch.double)
    parameters = list(model.parameters())

    expected = torch.autograd.grad(Reference(model).logits(x, 16, 1).square().sum(), parameters)
    found = torch.autograd.grad(model(x).square().sum(), parameters)

    for one, two in zip(expected, found, strict=True):
        torch.testing.assert_close(two, one)


def test_amoebanet_b_has_gpipes_557_million_params() -> None:
    assert count(network("amoebanet_b")).params == 557_277_864
    assert count(replace(network("amoebanet_b"), classes=1001)).params == 557_286_057
    assert count(network("amoebanet_b")).macs == 298_794_036_064


@settings(max_examples=5, deadline=None)
@given(networks(operators=("cell", "cell", "mbconv", "basic")))
def test_any_cells_among_other_blocks_cost_what_is_built_and_keep_the_resolved_shapes(of: Network) -> None:
    assert count(of) == measured(of)
    with torch.device("meta"):
        maps = build(of).eval().features(torch.empty(1, of.input_channels, *of.resolution))
    last = {run.stage: run.block for run in resolve(of).runs}
    for index in range(1, len(of.stages) + 1):
        assert maps[f"stage{index}"].shape == (1, last[index].out_channels, *last[index].output)


@pytest.mark.parametrize("name", ["max_pool_2x2", "max_pool_3x3", "avg_pool_3x3"])
@pytest.mark.parametrize("stride", [1, 2])
def test_pooling_counts_no_padded_pixel(name: str, stride: int) -> None:
    reference = Reference(build(small()))
    for height, width in ((1, 1), (1, 4), (5, 2), (6, 7), (8, 8)):
        x = torch.randn(2, 3, height, width) - 5
        pool = CellPool(_pool(name, (height, width), stride))
        torch.testing.assert_close(pool(x), reference.pool(x, name, stride))


def _pool(name: str, size: tuple[int, int], stride: int) -> Pool:
    """The resolved pooling of a first cell that has nothing but this operation."""
    cell = Cell(operations=(name, name), inputs=(0, 0), outputs=(2,))  # type: ignore[arg-type]
    of = Network(
        name="pool",
        resolution=size,
        stem=Stem(channels=4, stride=1),
        stages=(Stage(operator="cell", cell=cell, channels=4, repeats=1, stride=stride),),
        head=Head(channels=None),
    )
    pool = resolve(of).runs[1].block.plan.operations[0].pool
    assert pool is not None
    return pool


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (4, 4), (5, 8), (7, 7)])
def test_a_factorized_reduction_sees_every_second_pixel_and_the_one_right_below(size: tuple[int, int]) -> None:
    """With weights of one, each path returns what it sees: every second pixel, and the one right below it."""
    block: Block = resolve(small()).runs[2].block
    even, odd, _ = block.plan.previous.layers
    reduction = FactorizedReduction(even, odd, small().norm).eval()
    for module in (reduction.even, reduction.odd):
        nn.init.ones_(module.weight)
    marked = torch.arange(1.0, 1 + size[0] * size[1]).reshape(1, 1, *size).expand(1, even.in_channels, *size)

    found = reduction(marked) * (1 + 1e-3) ** 0.5 / even.in_channels

    torch.testing.assert_close(found[:, :1], marked[:, :1, ::2, ::2])
    shifted = F.pad(marked[:, :1], (0, 1, 0, 1))[:, :, 1:, 1:]
    torch.testing.assert_close(found[:, -1:], shifted[:, :, ::2, ::2])


def test_every_operation_but_the_identity_is_dropped_with_the_rate_of_its_cell() -> None:
    of = replace(small(), stochastic_depth=0.3)
    found = [
        [m.rate for m in cell.modules() if isinstance(m, StochasticDepth)]
        for cell in build(of).modules()
        if isinstance(cell, CellModule)
    ]

    assert [[pytest.approx(0.3 * i / 7)] * 8 for i in range(7)] == found
    model = build(of)
    x = torch.randn(4, 3, 65, 65)
    assert not torch.equal(model(x), model(x))


def test_names_in_the_state_dict_are_a_contract() -> None:
    names = set(build(small(cells=2)).state_dict())

    assert {
        "stages.0.0.current.conv.weight",
        "stages.0.0.operations.3.reduce.norm.weight",
        "stages.0.0.operations.3.conv.conv.weight",
        "stages.0.0.operations.4.pointwise2.norm.bias",
        "stages.1.0.previous.even.weight",
        "stages.1.0.previous.norm.running_var",
        "stages.2.0.operations.3.depthwise1.conv.weight",
        "stages.2.0.operations.9.project.conv.weight",
        "stages.3.0.previous.conv.weight",
    } <= names
