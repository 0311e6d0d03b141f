"""The networks that a calibration measures: designed so that their layers cover kinds, sizes, activations and shapes.

They are drawn from a fixed seed, so a calibration is the same everywhere. None of them is a registered network; every
third is a registered one that is scaled by drawn factors, since most networks that people predict are like those.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from random import Random

from triscale.costs import count
from triscale.families.by_name import network
from triscale.spec import Activation, Gate, Head, Network, Operator, SqueezeExcite, Stage, scale

RECIPE = 6
"""Counts up when the networks, the way they are measured or the model change: older calibrations are renewed."""

ANCHORS = ("calibration_3", "calibration_11", "calibration_15", "calibration_19")
"""Networks that find out whether the machine has become slower or faster since: long ones, of each kind. What else runs
moves short ones more than the networks that are predicted."""

_SEED, _SHORT_SEED = 4242, 77
_MACS = (12_000_000, 3_000_000_000)
_SIDES = (96, 300)
_SHORT_MACS = (250_000, 40_000_000)
_SHORT_SIDES = (20, 80)
_GOLDEN = 0.618
"""Its multiples, modulo 1, cover an interval evenly however many there are."""

_OPERATORS: tuple[Operator, ...] = ("mbconv",) * 9 + ("separable",)
_KERNELS: dict[Operator, list[int]] = {"fused_mbconv": [3, 3, 5], "mbconv": [3, 5, 3, 5, 7], "separable": [3, 5]}
_ACTIVATIONS: tuple[Activation, ...] = ("relu", "relu6", "silu", "hard_swish", "silu")


_SCALED = (
    "efficientnet_b0", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_lite0", "mnasnet_a1", "efficientnetv2_b0",
)  # fmt: skip


_SHORT_NAME = "calibration_short_"
_SHORT = (
    "finenet_20", "mobilenet_v3_small", "finenet_48", "smallnet_24", "mobilenet_v2", "smallnet_64", "efficientnet_b0",
    "resnet18",
)  # fmt: skip


def calibration_networks(number: int = 25, short: int = 16) -> tuple[Network, ...]:
    """Networks of 12 M to 3 G MACs at 96 to 300 px, then short ones of 0.3 to 40 M MACs at 20 to 80 px."""
    long = islice(_drawn(Random(_SEED)), number)  # noqa: S311  no secret
    return (*long, *islice(_short(Random(_SHORT_SEED)), short))  # noqa: S311


def is_short(network: Network) -> bool:
    """Whether it is one of the short networks, which are run as a whole alone: a profile sees too little of them."""
    return network.name.startswith(_SHORT_NAME)


def _side(between: tuple[int, int], index: int) -> int:
    """An even number of pixels; on a logarithmic scale they cover the interval evenly."""
    ratio: float = (between[1] / between[0]) ** (index * _GOLDEN % 1)
    return 2 * round(between[0] * ratio / 2)


def _short(random: Random) -> Iterator[Network]:
    """Small registered networks, or larger ones at few pixels, scaled by drawn factors."""
    index = 0
    while True:
        base = network(_SHORT[index % len(_SHORT)])
        drawn = scale(base, depth=random.uniform(0.4, 1.6), width=random.uniform(0.4, 1.4))
        side = _side(_SHORT_SIDES, index)
        found = replace(drawn, name=f"{_SHORT_NAME}{index}", resolution=(side, side))
        if _SHORT_MACS[0] <= count(found).macs <= _SHORT_MACS[1]:
            index += 1
            yield found


def _drawn(random: Random) -> Iterator[Network]:
    index = 0
    while True:
        side = _side(_SIDES, index)
        residual = index % 5 == 0 and index % 3 != 1
        drawn = (_scaled if index % 3 == 1 else _residual if residual else _mobile)(random, index)
        found = replace(drawn, name=f"calibration_{index}", resolution=(side, side))
        if _MACS[0] <= count(found).macs <= _MACS[1]:
            index += 1
            yield found


def _scaled(random: Random, index: int) -> Network:
    """A registered network, deeper or shallower, wider or narrower."""
    base = network(_SCALED[index // 3 % len(_SCALED)])
    return scale(base, depth=random.uniform(0.4, 1.6), width=random.uniform(0.5, 1.5))


def _mobile(random: Random, index: int) -> Network:
    """Seven stages of MBConv, some fused or separable; kernels, expansion and squeeze-excite drawn for each."""
    base = network("efficientnet_b0")
    channels = random.choice([8, 16, 24, 32, 40, 48])
    stem = replace(base.stem, channels=channels)
    gate: Gate = random.choice(["sigmoid", "hard_sigmoid"])
    channels = _eights(channels * random.choice([0.5, 1, 1]))
    stages = []
    for place in range(7):
        channels = _eights(channels * random.uniform(0.85, 1.9)) if place else channels
        fused = place < 4 and index % 5 in (0, 1, 4) and random.random() < 0.5
        stages.append(_stage(random, place, channels, gate, fused=fused))
    head = Head(channels=random.choice([None, 320, 512, 960, 1280, 1536, 1792]), hidden=random.choice([None, 1024]))
    return replace(base, stem=stem, stages=tuple(stages), head=head, activation=_ACTIVATIONS[index % 5])


def _stage(random: Random, place: int, channels: int, gate: Gate, *, fused: bool) -> Stage:
    operator: Operator = "fused_mbconv" if fused else random.choice(_OPERATORS)
    squeezed = SqueezeExcite(
        ratio=random.choice([0.25, 0.0625, 0.125]), gate=gate,
        of=random.choice(["input", "inner"]), divisor=random.choice([1, 8]),
    )  # fmt: skip
    expand = random.choice([1, 2, 3, 4, 4.5, 6, 6]) if place else 1
    return Stage(
        operator=operator,
        repeats=random.choice([1, 2, 2, 3]),
        channels=channels,
        kernel=random.choice(_KERNELS[operator]),
        stride=2 if place in (1, 2, 3, 5) else 1,
        expand=1 if operator == "separable" else expand,
        squeeze_excite=squeezed if operator == "mbconv" and random.random() < 0.5 else None,
    )


def _residual(random: Random, _index: int) -> Network:
    """Four stages of basic blocks or bottlenecks behind a stem of drawn width."""
    base = network("resnet18")
    channels = random.choice([32, 40, 48, 64, 72, 96])
    stages = []
    for place in range(4):
        bottleneck = random.random() < 1 / 3
        stages.append(
            Stage(
                operator="bottleneck" if bottleneck else "basic",
                repeats=random.randint(1, 3),
                channels=channels * (4 if bottleneck else 1),
                stride=2 if place else 1,
                expand=0.25 if bottleneck else 1,
            )
        )
        channels = _eights(channels * random.uniform(1.4, 2.2))
    return replace(base, stem=replace(base.stem, channels=random.choice([32, 48, 64, 80])), stages=tuple(stages))


def _eights(channels: float) -> int:
    return max(8, 8 * round(channels / 8))
