"""Networks for the tests of this room: every registered one, and one tiny network per block kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch

from triscale.families import network, registry
from triscale.spec import Activation, Cell, Head, Network, Norm, Operator, Padding, SqueezeExcite, Stage, Stem

REGISTERED = [network for _, network in registry().values()]


def tiny(
    operator: Operator, activation: Activation, padding: Padding, *,
    channels: tuple[int, int] = (8, 16), expand: float = 1.0, squeeze: bool = False,
    cells: tuple[Cell | None, Cell | None] = (None, None),
) -> Network:  # fmt: skip
    """Two stages of two blocks on 15x18 px, so that every padding case occurs."""
    se = SqueezeExcite(ratio=0.25) if squeeze else None
    return Network(
        name=f"tiny_{operator}",
        resolution=(15, 18),
        stem=Stem(channels=8, pool=operator == "basic"),
        stages=tuple(
            Stage(operator=operator, channels=c, repeats=2, stride=2, expand=expand, squeeze_excite=se, cell=cell)
            for c, cell in zip(channels, cells, strict=True)
        ),
        head=Head(channels=32 if operator == "mbconv" else None, dropout=0.2),
        activation=activation,
        padding=padding,
        norm=Norm(eps=1e-3, momentum=0.1),
        stochastic_depth=0.2,
        classes=5,
    )


CELLS = (
    Cell(operations=("max_pool_2x2", "conv_3x3", "identity", "separable_3x3"), inputs=(0, 1, 1, 2), outputs=(2, 3)),
    Cell(operations=("avg_pool_3x3", "identity", "conv_1x1", "max_pool_3x3"), inputs=(1, 0, 2, 1), outputs=(0, 3)),
)
"""Every kind of operation, in few of them: a cell has many layers to export and compile."""


def with_stages(of: Network, *, stem: Stem | None = None, head: Head | None = None, **fields: object) -> Network:
    """With these fields in every stage, and another stem or head."""
    stages = tuple(replace(stage, **fields) for stage in of.stages)  # type: ignore[arg-type]
    return replace(of, stages=stages, stem=stem or of.stem, head=head or of.head)


TINY = {
    "mbconv_se": tiny("mbconv", "silu", "same", expand=4, squeeze=True),
    "mbconv": tiny("mbconv", "hard_swish", "symmetric", expand=6),
    "separable": tiny("separable", "relu6", "same"),
    "basic": tiny("basic", "relu", "same"),
    "bottleneck": tiny("bottleneck", "relu", "symmetric", expand=0.25),
    "cell": tiny("cell", "relu", "same", cells=CELLS),
    "mobilenet_v3": with_stages(
        tiny("mbconv", "hard_swish", "symmetric", expand=2.5),
        squeeze_excite=SqueezeExcite(of="inner", gate="hard_sigmoid", divisor=8, activation="relu"),
        head=Head(channels=32, hidden=40),
    ),
    "fused_mbconv": with_stages(tiny("fused_mbconv", "silu", "same", expand=4, squeeze=True), expand_of="output"),
    "single": tiny("fused_mbconv", "silu", "same", channels=(16, 24)),
    "single_se": tiny("fused_mbconv", "relu", "symmetric", channels=(16, 24), squeeze=True),
    "senet": with_stages(
        tiny("bottleneck", "relu", "same", channels=(32, 64)),
        groups=8, reduce=0.5, shortcut_kernel=3, squeeze_excite=SqueezeExcite(ratio=0.5, of="output"),
        stem=Stem(deep=(16, 16), channels=24, pool=True),
    ),
    "preactivation": with_stages(
        tiny("preactivation", "relu", "same", channels=(64, 128), expand=0.25),
        stem=Stem(channels=8, after="nothing"), head=Head(channels=None, before="norm_activation"),
    ),
    "bare": with_stages(
        tiny("mbconv", "relu", "same", expand=4),
        stem=Stem(channels=8, after="norm"), head=Head(channels=None, before="activation"),
    ),
}  # fmt: skip


@pytest.fixture(params=TINY)
def tiny_network(request: pytest.FixtureRequest) -> Network:
    """Each tiny network in turn."""
    found: Network = TINY[request.param]
    return found


def at(name: str, height: int, width: int) -> Network:
    """A registered network at another resolution in pixels."""
    return replace(network(name), resolution=(height, width))


@contextmanager
def without_numbers() -> Iterator[None]:
    """For names and shapes alone: modules are made on the meta device, which draws slowly what it does not keep."""
    with pytest.MonkeyPatch.context() as patch, torch.device("meta"):
        for name in ("kaiming_normal_", "kaiming_uniform_", "normal_", "trunc_normal_", "uniform_"):
            patch.setattr(torch.nn.init, name, lambda tensor, *_, **__: tensor)
        yield


def randomise(model: torch.nn.Module, seed: int = 0) -> None:
    """Running statistics, scales and shifts away from 1 and 0, so that a swapped or forgotten one shows."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d) and not module.weight.is_meta:
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.2, generator=generator)
            module.running_var.uniform_(0.5, 2.0, generator=generator)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5, generator=generator)
            torch.nn.init.normal_(module.bias, 0, 0.2, generator=generator)
