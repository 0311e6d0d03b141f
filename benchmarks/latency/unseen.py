"""The networks of the test, none of which a calibration measures: registered ones, scalings, random ones of a space."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from triscale.costs import count
from triscale.families.by_name import network
from triscale.search.architecture import budget, load_space, sample
from triscale.spec import Activation, Network, scale

REGISTERED = (
    "efficientnet_b0 128 160 224, efficientnet_b1 192 240, efficientnet_b2 180 260, efficientnet_b3 208 300, "
    "efficientnet_b4 256, efficientnet_lite0 160 224, efficientnet_lite1 240, efficientnet_lite2 160 260, "
    "efficientnet_lite3 280, efficientnet_lite4 300, efficientnet_es 128 224, efficientnet_em 240, "
    "mobilenet_v1 128 224, mobilenet_v1_050 224, mobilenet_v1_075 160 224, mobilenet_v2 128 224, "
    "mobilenet_v2_050 224, mobilenet_v2_075 192, mobilenet_v2_140 192, mobilenet_v3_large 160 224, "
    "mobilenet_v3_large_075 224, mobilenet_v3_small 224, mnasnet_a1 160 224, mnasnet_b1 160 224, mnasnet_small 224, "
    "resnet18 128 224, resnet34 112 224, resnet50 160 224, "
    "efficientnetv2_b0 160 224, efficientnetv2_b1 240, efficientnetv2_b2 208, efficientnetv2_b3 300"
)
"""Names, each with the sides that it is measured at."""

SHORT = (
    "finenet_20 20, finenet_22 22, finenet_24 24, finenet_32 32, finenet_48 48, smallnet_24 24, smallnet_32 32, "
    "smallnet_48 48, smallnet_64 64, efficientnet_b0 32 48, efficientnet_lite0 32 64, mobilenet_v1_050 64, "
    "mobilenet_v2 32 48, mobilenet_v3_large 48, mobilenet_v3_small 64 96, mnasnet_small 64, resnet18 24"
)
"""Likewise, of less than 2 ms on most engines; they are counted apart."""

BASELINES = ("efficientnet_b0", "mobilenet_v2", "resnet18")
SPACES = ("mnasnet_b0", "mnasnet_mobilenet_v2")
ACTIVATIONS: tuple[Activation, ...] = ("relu", "relu6", "silu", "hard_swish")

_SCALED_MACS = (60_000_000, 2_500_000_000)
_SMALL, _TINY = {"macs": 1_500_000_000}, {"macs": 60_000_000}


def unseen(count_of_each: int = 30, seed: int = 11) -> dict[str, Network]:
    """All networks of the test by their names, which say which group they are of."""
    random = Random(seed)
    found = [
        *_registered(REGISTERED),
        *_registered(SHORT),
        *_scalings(count_of_each, random),
        *_random(count_of_each, random),
    ]
    return {net.name: net for net in found}


def group(name: str) -> str:
    """Of a network's name: registered, scaled or random."""
    return {"scaled": "scaled", "random": "random"}.get(name.partition(" ")[0], "registered")


def _registered(names: str) -> Iterator[Network]:
    for entry in names.split(", "):
        name, *sides = entry.split()
        for side in sides:
            yield replace(network(name), name=f"{name} {side}", resolution=(int(side), int(side)))


def _scalings(count_of_each: int, random: Random) -> Iterator[Network]:
    """Each baseline in turn, its three dimensions drawn apart."""
    made = 0
    while made < count_of_each:
        base = network(BASELINES[made % len(BASELINES)])
        depth, width, resolution = random.uniform(0.5, 2), random.uniform(0.5, 1.5), random.uniform(0.45, 1.35)
        net = scale(base, depth=depth, width=width, resolution=resolution)
        if _SCALED_MACS[0] <= count(net).macs <= _SCALED_MACS[1]:
            made += 1
            yield replace(net, name=f"scaled {base.name} d{depth:.2f} w{width:.2f} r{resolution:.2f}")


def _random(count_of_each: int, random: Random) -> Iterator[Network]:
    """Networks of the search spaces, at a drawn resolution, with a drawn activation."""
    within = budget(_SMALL, at_least=_TINY)
    for number in range(count_of_each):
        space = load_space(SPACES[number % len(SPACES)])
        side, activation = random.randrange(96, 301, 4), random.choice(ACTIVATIONS)
        base = replace(space.base, resolution=(side, side), activation=activation)
        drawn = load_space(SPACES[number % len(SPACES)], base)
        net = drawn.network(sample(drawn, random, within))
        yield replace(net, name=f"random {number} of {space.name} {activation} {side}")
