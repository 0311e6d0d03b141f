"""Curves through the published families of ResNet-RS and, downwards only, TinyNet. Pure arithmetic on their figures.

Each gives (depth, width, resolution) with nominal cost depth x width^2 x resolution^2 = 2^phi, as every rule does.
"""

import math
from itertools import pairwise

from triscale.errors import InputError

Triple = tuple[float, float, float]
"""Factors of depth, width and resolution."""

RESNET_RS = (
    (50, 16, 160), (101, 33, 160), (101, 33, 192), (152, 50, 192), (152, 50, 224), (152, 50, 256),
    (200, 66, 256), (270, 90, 256), (350, 116, 256), (350, 116, 320), (420, 139, 320),
)  # fmt: skip
"""(name, blocks, pixels) of ResNet-RS, all of one width (arXiv 2103.07579, appendices B and D)."""

TINYNETS = (
    ("a", (1.2, 1.0, 0.86)), ("b", (1.1, 0.75, 0.84)), ("c", (0.85, 0.54, 0.825)),
    ("d", (0.695, 0.54, 0.68)), ("e", (0.6, 0.51, 0.475)),
)  # fmt: skip
"""Depth, width and resolution of TinyNet-A to E over EfficientNet-B0, as their authors released them (2010.14819)."""


def _exponents(triple: Triple) -> Triple:
    """log2 of what each dimension does to the nominal cost."""
    depth, width, resolution = triple
    return math.log2(depth), 2 * math.log2(width), 2 * math.log2(resolution)


def _pace(family: tuple[tuple[int, int, int], ...]) -> float:
    """log2 of the resolution factor for each doubling of nominal cost: least squares through the first member."""
    (_, blocks, side), *others = family
    points = [_exponents((its / blocks, 1.0, pixels / side)) for _, its, pixels in others]
    costs = [sum(point) for point in points]
    return sum(cost * r / 2 for cost, (_, _, r) in zip(costs, points, strict=True)) / sum(cost**2 for cost in costs)


RESNET_RS_PACE = _pace(RESNET_RS)
"""0.187: a doubling of cost multiplies the side by 1.138; the compound rule by 1.160."""


def resnet_rs(phi: float, *, overfits: bool) -> Triple:
    """Factors by the strategies of ResNet-RS (arXiv 2103.07579, section 6).

    Strategy 1 (section 6.1): scale the depth where training can overfit, else the width. Strategy 2 (section 6.2):
    scale the resolution slowly. The paper prints no formula; the pace of the resolution is ours, fitted to its family
    (`RESNET_RS_PACE`), and what it leaves of 2^phi goes to the depth or to the width.

    Args:
        phi: 2^phi is the nominal cost.
        overfits: whether validation falls behind training; what counts as that, the paper does not say either.
    """
    left = phi * (1 - 2 * RESNET_RS_PACE)
    resolution = 2 ** (phi * RESNET_RS_PACE)
    return (2**left, 1.0, resolution) if overfits else (1.0, 2 ** (left / 2), resolution)


_KNOTS = tuple((sum(_exponents(triple)), _exponents(triple)) for _, triple in TINYNETS)
"""(phi, exponents) of the five, from the largest down."""


def tinynet(phi: float) -> Triple:
    """Factors that shrink a network as TinyNets shrink EfficientNet-B0 (arXiv 2010.14819, section 3).

    Theirs: depth and resolution come first and the width takes what they leave of the cost, sqrt(c / (d r^2)) for
    0 < c < 1; and the five networks, which lie on this curve. They fit depth and resolution with Gaussian processes to
    their best of random networks and print neither. Ours: between two of the five the logarithms go straight; above
    TinyNet-A its depth and resolution stay; below TinyNet-E its shares of the cost stay; 0 is the baseline itself.

    Raises:
        InputError: phi above 0.
    """
    if phi > 0:
        raise InputError(
            f"rule tinynet only shrinks a network, and phi is {phi:g}: give a phi below 0, or another rule."
        )
    if phi == 0:
        return 1.0, 1.0, 1.0
    d, r = _depth_and_resolution(phi)
    return 2**d, 2 ** ((phi - d - r) / 2), 2 ** (r / 2)


def _depth_and_resolution(phi: float) -> tuple[float, float]:
    """Exponents of both at a phi below 0."""
    if phi >= _KNOTS[0][0]:
        return _KNOTS[0][1][0], _KNOTS[0][1][2]
    lowest, (d, _, r) = _KNOTS[-1]
    if phi < lowest:
        return d * phi / lowest, r * phi / lowest
    (high, above), (low, below) = next(pair for pair in pairwise(_KNOTS) if phi >= pair[1][0])
    part = (high - phi) / (high - low)
    return above[0] + part * (below[0] - above[0]), above[2] + part * (below[2] - above[2])
