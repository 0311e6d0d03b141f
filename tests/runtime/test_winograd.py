"""Convolutions by transformed tiles compute what torch does, output by output; and they are planned where they pay."""

import ctypes
import functools
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.nn.networks import tiny
from tests.runtime.test_compiled_networks import COMPILER, POSSIBLE, refuted
from tests.runtime.test_threads import IMAGES, MIXED, SMALLEST, differing, program
from triscale import compiler, runtime
from triscale.families.by_name import network
from triscale.layer_weights import Floats
from triscale.machine import Isa
from triscale.runtime import LANES, plan, winograd
from triscale.runtime.blocking import panels
from triscale.runtime.cutting import Cut
from triscale.runtime.steps import Convolve
from triscale.spec import Layer, Size
from triscale.spec.layer import Pad, convolution

pytestmark = COMPILER
ODD = replace(tiny("basic", "relu6", "same", channels=(40, 72)), resolution=(89, 98))
"""Its maps of 12x13 and 6x7 pixels are made of transformed tiles, in blocks and beside a residual."""

BEHIND = 1 << 12
"""Floats behind a map, which nothing writes."""


class Case(NamedTuple):
    """One convolution of a map, cut in some way."""

    size: Size
    channels: Size
    pad: Pad = (1, 1, 1, 1)
    residual: bool = False
    activation: str = "Identity"
    blocks: int = 1
    isa: Isa = POSSIBLE[-1]

    @property
    def layer(self) -> Layer:
        """With the padding of the case, and the size that it leaves."""
        top, bottom, left, right = self.pad
        output = self.size[0] + top + bottom - 2, self.size[1] + left + right - 2
        made = convolution("conv", self.channels, self.size, "same", kernel=3)
        return made._replace(output=output, pad=self.pad)

    @property
    def lanes(self) -> int:
        """Floats of a register."""
        return LANES[self.isa]

    @property
    def cut(self) -> Cut:
        """As many spans as there can be, and blocks of which none is empty."""
        tiles = winograd.tiles_of(self.layer)
        outputs = panels(self.channels[1], self.lanes)
        blocks = -(-tiles // winograd.room(self.layer, min(self.blocks, tiles)))
        return Cut(winograd.widths_of_tiles(self.layer, self.lanes).chunks(outputs), blocks)


CASES = (
    Case((7, 7), (20, 33), residual=True, activation="Silu", blocks=2),
    Case((8, 5), (3, 16), pad=(0, 1, 2, 0), activation="Relu6", isa=POSSIBLE[-2]),
    Case((9, 4), (37, 5), pad=(0, 0, 0, 0), residual=True, blocks=8, isa="generic"),
)


def lie(size: Size, block: int, row: int, panel: int) -> str:
    return f"Lie{{{size[0]}, {size[1]}, {block}, {row}, {panel}}}"


def source(case: Case) -> str:
    """A function of some tiles of the convolution; maps lie as `in_panels` puts them."""
    layer, lanes = case.layer, case.lanes
    top, bottom, left, right = framed(case)
    rows, columns = case.size[0] + top + bottom, case.size[1] + left + right
    out = lie(layer.output, lanes, layer.output[1] * lanes, layer.output[0] * layer.output[1] * lanes)
    wide = winograd.widths_of_tiles(layer, lanes)
    sizes = (
        f".kernel = 3, .stride = 1, .groups = 1, .in_channels = {layer.in_channels}, .out_channels = "
        f"{layer.out_channels}, .wide_first = {wide.first}, .wide = {wide.wide}, .in = "
        f"{lie(case.size, lanes, columns * lanes, rows * columns * lanes)}, .out = {out}, "
        f".residual = {str(case.residual).lower()}, .kept = {out}"
    )
    cut, own = case.cut, winograd.own_floats(layer, lanes, case.cut.blocks)
    return f"""#include "kernels.h"
using namespace triscale;
static_assert(LANES == {lanes});
extern "C" __attribute__((visibility("default"))) void run(
    const float* x, const float* weights, const float* kept, float* y, float* own, int begin, int end) {{
  winograd<Convolution{{{sizes}}}, {case.activation}, Cut{{{cut.spans}, {cut.blocks}}},
           {winograd.room(layer, cut.blocks)}, {own}>(x, weights, kept, y, own, {{begin, end}});
}}
"""


def framed(case: Case) -> Pad:
    """The zeros around the map: whole tiles."""
    (top, bottom, left, right), (height, width) = case.pad, case.layer.output
    return top, bottom + height % 2, left, right + width % 2


@functools.cache
def kernel(case: Case) -> ctypes.CDLL:
    """The function of `source`, compiled."""
    tools = compiler.toolchain(case.isa, "-std=c++20", "-ffp-contract=off", plain_c=True)
    kernels = Path(runtime.__file__).parent / "kernels"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "case.cpp").write_text(source(case), encoding="utf-8")
        compiler.build(tools, [compiler.Unit(Path(folder) / "case.cpp", (f"-I{kernels}",))], Path(folder) / "case.so")
        return ctypes.CDLL(str(Path(folder) / "case.so"))


def in_panels(one: Floats, lanes: int, pad: Pad = (0, 0, 0, 0)) -> Floats:
    """[channels][height][width] as [panel][height][width][lane], with zeros around it; other lanes hold no number."""
    top, bottom, left, right = pad
    whole = np.pad(one, ((0, -len(one) % lanes), (0, 0), (0, 0)), constant_values=np.nan)
    whole = np.pad(whole, ((0, 0), (top, bottom), (left, right)))
    return np.ascontiguousarray(whole.reshape(-1, lanes, *whole.shape[1:]).transpose(0, 2, 3, 1))


def pointer(one: Floats) -> ctypes.c_void_p:
    return ctypes.c_void_p(one.ctypes.data)


class Numbers(NamedTuple):
    """What a case computes with."""

    x: Floats
    weight: Floats
    bias: Floats
    kept: Floats


def numbers(case: Case) -> Numbers:
    rng, layer = np.random.default_rng(0), case.layer
    shapes = (
        (layer.in_channels, *case.size), (layer.out_channels, layer.in_channels, 3, 3), (layer.out_channels,),
        (layer.out_channels, *layer.output),
    )  # fmt: skip
    return Numbers(*(rng.standard_normal(shape, dtype=np.float32) for shape in shapes))


def found(case: Case, given: Numbers) -> Floats:
    """The convolution [channels][height][width], tile by tile from the last, in memory that holds no numbers."""
    layer, lanes, cut = case.layer, case.lanes, case.cut
    weights = winograd.winograd_weights(given.weight, given.bias, lanes, winograd.widths_of_tiles(layer, lanes))
    x, kept = in_panels(given.x, lanes, framed(case)), in_panels(given.kept, lanes)
    memory = np.full(kept.size + BEHIND, np.nan, np.float32)
    y = memory[: kept.size].reshape(kept.shape)
    for tile in reversed(range(cut.tiles)):
        own = np.full(winograd.own_floats(layer, lanes, cut.blocks), np.nan, np.float32)
        kernel(case).run(*map(pointer, (x, weights, kept, y, own)), tile, tile + 1)
    assert np.isnan(memory[kept.size :]).all(), "written behind the map"
    return y.transpose(0, 3, 1, 2).reshape(-1, *layer.output)[: layer.out_channels]


ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "Identity": lambda z: z, "Relu": torch.relu, "Relu6": torch.nn.functional.relu6, "Silu": torch.nn.functional.silu,
}  # fmt: skip


def wanted(case: Case, given: Numbers, dtype: torch.dtype) -> torch.Tensor:
    """The same by torch."""
    top, bottom, left, right = case.pad
    x, weight, bias, kept = (torch.from_numpy(part).to(dtype) for part in given)
    z = torch.nn.functional.conv2d(torch.nn.functional.pad(x, (left, right, top, bottom))[None], weight, bias)[0]
    return ACTIVATIONS[case.activation](z + kept if case.residual else z)


def wrong(case: Case) -> str:
    """How far the outputs are from float64, where that is too far: 1e-5 of the largest, or twice what torch is off."""
    given = numbers(case)
    exact = wanted(case, given, torch.float64)
    scale = float(exact.abs().max()) or 1.0
    own = float((torch.from_numpy(found(case, given)) - exact).abs().max()) / scale
    torchs = float((wanted(case, given, torch.float32) - exact).abs().max()) / scale
    return "" if own <= max(1e-5, 2 * torchs) else f"{case}: {own:.1e} of the largest, torch {torchs:.1e}"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_output_is_torchs(case: Case) -> None:
    """Odd sides, channels that are no whole panels, any padding, each tile by itself."""
    assert wrong(case) == ""


@pytest.mark.slow
@given(
    case=st.builds(
        Case, st.tuples(*[st.integers(1, 19)] * 2), st.tuples(*[st.integers(1, 70)] * 2),
        pad=st.tuples(*[st.integers(0, 2)] * 4), residual=st.booleans(),
        activation=st.sampled_from(sorted(ACTIVATIONS)),
        blocks=st.integers(1, 9), isa=st.sampled_from(POSSIBLE),
    )
)  # fmt: skip
@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
def test_every_output_of_drawn_sizes_is_torchs(case: Case) -> None:
    assume(min(case.layer.output) > 0)
    assert wrong(case) == ""


@pytest.mark.parametrize("activation", ["Identity", "Relu", "Relu6"])
@pytest.mark.parametrize(
    "values", [(np.nan,), (np.inf,), (-np.inf,), (np.inf, -np.inf), (np.inf, np.inf), (np.nan, np.inf)]
)
def test_what_is_not_finite_reaches_no_other_output_and_is_never_lost(
    values: tuple[float, ...], activation: str
) -> None:
    """Before the activation an output is a number just where torch's is; behind it none is where torch's is none."""
    case = CASES[0]._replace(activation=activation, residual=False)
    for place in range(20):
        given, rng = numbers(case), np.random.default_rng(place)
        for value in values:
            given.x[tuple(rng.integers(given.x.shape))] = value
        own, torchs = torch.from_numpy(found(case, given)), wanted(case, given, torch.float32)
        same = own.isfinite() == torchs.isfinite()
        assert (same if activation == "Identity" else ~own.isfinite() | torchs.isfinite()).all()
        assert own[torchs.isnan()].isnan().all(), "what is not a number stays so"
        infinite = own.isinf()
        assert (own[infinite] == torchs[infinite]).all()
        near = own.isfinite() & torchs.isfinite()
        assert (own - torchs)[near].abs().max() < 1e-4


def test_a_network_of_transformed_tiles_computes_the_modules_logits() -> None:
    """In the plan's own frames and places."""
    assert refuted(ODD, tile=SMALLEST, threads=2) == ""


def test_any_number_of_threads_gives_the_same_bits() -> None:
    assert differing(ODD) == []


def test_each_tile_by_itself_in_any_order_gives_the_same_bits(tmp_path: Path) -> None:
    """Backwards, with memory of the thread that holds no numbers."""
    done = subprocess.run([program(tmp_path, ODD, runtime.best_isa(), IMAGES + MIXED)], check=False)
    assert done.returncode == 0


def planned(name: str, lanes: int) -> list[Layer]:
    return [step.layer for step in plan(network(name), lanes).steps if isinstance(step, Convolve) and step.winograd]


def test_these_tests_cut_tiles_in_both_ways() -> None:
    """Else they would prove nothing of it."""
    steps = plan(ODD, LANES[POSSIBLE[-1]], tile=SMALLEST)
    cuts = [
        cut for step, cut in zip(steps.steps, steps.cuts, strict=True) if isinstance(step, Convolve) and step.winograd
    ]
    assert max(cut.blocks for cut in cuts) > 1
    assert max(cut.spans for cut in cuts) > 1


@pytest.mark.parametrize("lanes", sorted(LANES.values()))
def test_tiles_are_transformed_where_that_is_faster_alone(lanes: int) -> None:
    """ResNet's middle convolutions and Fused-MBConv; never strides, other kernels, groups and few channels."""
    sides = [56] * 3 + [28] * 3 + [14] * 5 + [7] * 2
    assert [layer.output[0] for layer in planned("resnet50", lanes)] == sides
    assert len(planned("efficientnetv2_b0", lanes)) == 3
    assert planned("mobilenet_v2", lanes) == []
    wide = convolution("conv", (64, 64), (14, 14), "same", kernel=3)
    assert winograd.pays(wide, lanes)
    assert not winograd.pays(convolution("conv", (64, 64), (28, 28), "same", kernel=3, stride=2), lanes)
    assert not winograd.pays(convolution("conv", (64, 64), (14, 14), "same", kernel=5), lanes)
    assert not winograd.pays(convolution("conv", (64, 64), (14, 14), "same", kernel=3, groups=2), lanes)
    assert not winograd.pays(convolution("conv", (64, 64), (3, 3), "same", kernel=3), lanes), (
        "tiles stand out of the map"
    )
    assert not winograd.pays(convolution("conv", (4, 4), (14, 14), "same", kernel=3), lanes), "few channels"


@given(
    size=st.tuples(*[st.integers(1, 300)] * 2), channels=st.tuples(*[st.integers(1, 600)] * 2),
    lanes=st.sampled_from(sorted(LANES.values())), tile=st.sampled_from([1, 50_000]),
)  # fmt: skip
def test_no_block_is_empty_and_a_block_stays_in_the_cache(size: Size, channels: Size, lanes: int, tile: int) -> None:
    layer = convolution("conv", channels, size, "same", kernel=3)
    cut = runtime.cutting.winograd_cut_of(layer, lanes, tile)
    room, tiles = winograd.room(layer, cut.blocks), winograd.tiles_of(layer)
    assert (cut.blocks - 1) * room < tiles <= cut.blocks * room
    assert cut.spans <= winograd.widths_of_tiles(layer, lanes).chunks(panels(channels[1], lanes))
    floats = winograd.own_floats(layer, lanes, cut.blocks)
    assert 4 * floats < 520 * 1024 or room <= 32, "few tiles where channels are very many"
