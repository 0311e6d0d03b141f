"""Compiled networks compute what the module does: the oracle is torch in float64."""

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.nn.networks import TINY, at, randomise
from tests.spec.strategies import networks
from triscale import compiler, nn, runtime
from triscale.families.by_name import network
from triscale.layer_weights import StoredWeights
from triscale.machine import NEEDS, Isa, features
from triscale.runtime import LANES, NativeNetwork, plan
from triscale.runtime.cutting import TILE
from triscale.runtime.instance import Floats
from triscale.spec import Network, Operator, resolve, scale


def compiler_is_missing() -> bool:
    try:
        compiler.toolchain(None, plain_c=True)
    except compiler.Unavailable:
        return True
    return False


COMPILER = pytest.mark.skipif(compiler_is_missing(), reason="there is no C++ compiler here")
pytestmark = COMPILER
POSSIBLE: list[Isa] = [isa for isa in LANES if NEEDS[isa] <= features()]
SMALL = {name: net for name, net in TINY.items() if name != "cell"}
OPERATORS: tuple[Operator, ...] = ("mbconv", "fused_mbconv", "separable", "basic", "bottleneck", "preactivation")
KINDS: Sequence[tuple[str, float, int, int]] = (
    ("efficientnet_b0", 0.5, 65, 48),
    ("efficientnet_lite0", 0.25, 63, 64),
    ("efficientnet_es", 0.25, 49, 64),
    ("efficientnetv2_b0", 0.25, 64, 65),
    ("mobilenet_v1_025", 1.0, 63, 64),
    ("mobilenet_v2_035", 0.5, 65, 65),
    ("mobilenet_v3_small", 0.5, 64, 63),
    ("mnasnet_a1", 0.5, 65, 64),
    ("resnet18", 0.125, 65, 64),
    ("resnet50", 0.125, 64, 65),
    ("resnet164", 1.0, 33, 32),
    ("senet154", 0.0625, 64, 65),
    ("smallnet_24", 1.0, 24, 25),
)
"""One of every kind of block, activation, padding and head, with odd sides."""


def small(name: str, width: float, height: int, wide: int) -> Network:
    """A member of a family, narrow and with two blocks a stage."""
    net = scale(network(name), width=width) if width != 1 else network(name)
    stages = tuple(replace(stage, repeats=min(stage.repeats, 2)) for stage in net.stages)
    return replace(net, stages=stages, resolution=(height, wide), classes=10)


def trained(net: Network) -> torch.nn.Module:
    """A module whose norms are not the identity."""
    torch.manual_seed(0)
    model = nn.build(net).eval()
    randomise(model)
    return model


def compiled(
    net: Network, model: torch.nn.Module, isa: Isa | None = None, batch: int = 3, threads: int = 1, tile: int = TILE
) -> NativeNetwork:
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    built = runtime.library(net, StoredWeights(state, net.norm.eps), isa=isa, tile=tile)
    return runtime.open(built, batch=batch, threads=threads)


def images_for(net: Network, count: int) -> Floats:
    return np.random.default_rng(1).standard_normal((count, net.input_channels, *net.resolution), dtype=np.float32)


def logits_of(model: torch.nn.Module, images: NDArray[np.floating]) -> NDArray[np.floating]:
    with torch.no_grad():
        found: NDArray[np.floating] = model(torch.from_numpy(images)).numpy()
    return found


def refuted(net: Network, isa: Isa | None = None, threads: int = 1, tile: int = TILE) -> str:
    """How far the logits are from those in float64, where that is too far; empty where it is not.

    Within 1e-5 of the largest, or twice what torch in float32 is off.
    """
    model, images = trained(net), images_for(net, 2)
    found, single = compiled(net, model, isa, threads=threads, tile=tile)(images), logits_of(model, images)
    exact = logits_of(model.double(), images.astype(np.float64))
    largest = np.abs(exact).max()
    own, torchs = (float(np.abs(one - exact).max() / largest) for one in (found, single))
    return "" if own <= max(1e-5, 2 * torchs) else f"{net.name} on {isa}: {own:.1e} of the largest, torch {torchs:.1e}"


@pytest.mark.parametrize(("name", "isa"), [("mbconv_se", "generic"), ("senet", POSSIBLE[-1])])
def test_small_networks_compute_the_modules_logits(name: str, isa: Isa) -> None:
    """Squeeze-excite, gates in weights, rings, odd sides, SAME padding; narrow groups, pooling, projecting skips."""
    assert refuted(SMALL[name], isa) == ""


@pytest.mark.slow
@pytest.mark.parametrize("isa", POSSIBLE)
@pytest.mark.parametrize("name", SMALL)
def test_every_kind_of_block_computes_the_modules_logits(name: str, isa: Isa) -> None:
    assert refuted(SMALL[name], isa) == ""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "width", "height", "wide"), KINDS, ids=[kind[0] for kind in KINDS])
def test_every_family_computes_the_modules_logits(name: str, width: float, height: int, wide: int) -> None:
    net = small(name, width, height, wide)
    assert [found for isa in POSSIBLE if (found := refuted(net, isa))] == []


@pytest.mark.slow
@given(net=networks(OPERATORS), isa=st.sampled_from(POSSIBLE))
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
def test_drawn_networks_compute_the_modules_logits(net: Network, isa: Isa) -> None:
    assume(sum(len(block.layers) for _, block in resolve(net).flat()) <= 40)
    assert refuted(net, isa) == ""


def test_thousands_of_inputs_are_summed_as_exactly_as_in_torch() -> None:
    """One float32 sum of so many would be 2e-6 off."""
    net = replace(SMALL["mbconv_se"], head=replace(SMALL["mbconv_se"].head, channels=2048), classes=100)
    model, images = trained(net), images_for(net, 2)
    found = [compiled(net, model, isa)(images) for isa in POSSIBLE]
    exact = logits_of(model.double(), images.astype(np.float64))
    assert [one for one in found if np.abs(one - exact).max() > 7e-7 * np.abs(exact).max()] == []


def test_an_image_has_the_same_bits_whatever_its_batch_and_nothing_is_left_of_the_one_before() -> None:
    net = SMALL["mbconv_se"]
    run, images = compiled(net, trained(net)), images_for(net, 7)
    together = run(images)
    assert np.array_equal(together, np.concatenate([run(images[i : i + 1]) for i in range(7)]))
    assert np.array_equal(together[::-1], run(np.ascontiguousarray(images[::-1])))
    assert np.array_equal(together, run(np.asfortranarray(images)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_comes_out_as_torch_lets_it(value: float) -> None:
    """One pixel; every logit is a number in both or in neither."""
    net = SMALL["mbconv_se"]
    model, images = trained(net), images_for(net, 2)
    images[1, 0, 3, 4] = value
    found, wanted = compiled(net, model)(images), logits_of(model, images)
    assert np.array_equal(np.isnan(found), np.isnan(wanted))
    assert np.isfinite(found[0]).all()


def test_large_images_compute_the_same_as_torch() -> None:
    """Activations of many thousands: SiLU's ends."""
    net = SMALL["mbconv_se"]
    model, images = trained(net), images_for(net, 2) * 1e4
    exact = logits_of(model.double(), images.astype(np.float64))
    single = logits_of(model.float(), images)
    bound = max(1e-5, 2 * float(np.abs(single - exact).max() / np.abs(exact).max()))
    assert np.abs(compiled(net, model)(images) - exact).max() <= bound * np.abs(exact).max()


def test_a_library_needs_nothing_but_c() -> None:
    """Neither the library of C++ nor OpenMP: what a loader would look for."""
    net = SMALL["mbconv_se"]
    path = runtime.library(net, StoredWeights(trained_state(net), net.norm.eps))
    needed = needed_by(path)
    assert needed <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}, needed


def trained_state(net: Network) -> dict[str, NDArray[np.floating]]:
    return {name: tensor.numpy() for name, tensor in trained(net).state_dict().items()}


def needed_by(path: Path) -> set[str]:
    """The libraries that a library is linked with."""
    done = subprocess.run(["readelf", "-d", str(path)], capture_output=True, text=True, check=True)
    return {line.partition("[")[2].rstrip("]") for line in done.stdout.splitlines() if "(NEEDED)" in line}


@pytest.mark.slow
def test_b0_computes_the_modules_logits_at_full_size() -> None:
    assert refuted(at("efficientnet_b0", 224, 224)) == ""
    assert plan(network("efficientnet_b0"), 16).floats * 4 < 4_000_000
