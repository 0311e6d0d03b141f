"""A calibrated predictor as a value: coefficients of each kernel's terms, a correction, an interval."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import NamedTuple

from triscale.latency.predictor.block_kernels import block_kernels
from triscale.latency.predictor.kernel_features import KERNEL_SIDES, Kernel, Vectors
from triscale.latency.predictor.step_kernels import step_kernels
from triscale.spec import Network, Resolved, resolve

_BELOW = 0.5
"""How fast the interval widens below the shortest network of a calibration: at a quarter of its time twice as wide."""

BLEND = (1.0, 3.0)
"""Milliseconds of a network between which it is no longer short and not yet long."""

START = "one"
"""The term of a kernel that is there."""

Coefficients = Mapping[str, Mapping[str, float]]
"""Milliseconds for one of each term, by the kind of kernel."""


class Prediction(NamedTuple):
    """Milliseconds, and an interval that covers the measured time of 9 in 10 unseen networks."""

    milliseconds: float
    low: float
    high: float


class Line(NamedTuple):
    """`scale * sum + kernel * kernels`; the last may be below 0: a profile makes every kernel longer."""

    scale: float = 1.0
    kernel: float = 0.0


PLAIN = Line()


class Part(NamedTuple):
    """What a group of kernels takes in a short network: `each`, and `scale` times what their other terms tell."""

    scale: float = 1.0
    each: float = 0.0


class Group(NamedTuple):
    """The kernels of a group in a network: how many, and the milliseconds that their terms tell but for `START`."""

    kernels: int = 0
    milliseconds: float = 0.0

    def __add__(self, other: "Group") -> "Group":  # type: ignore[override]
        return Group(self.kernels + other.kernels, self.milliseconds + other.milliseconds)


class Sums(NamedTuple):
    """All kernels of a network: how many, their milliseconds, and their groups by name."""

    kernels: int
    milliseconds: float
    groups: Mapping[str, Group]


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """From the kernels of a network to its time.

    Maps and weights of short networks stay in near caches, and starting a kernel is much of what it takes. So each
    group of kernels has a correction of its own there; between `BLEND` milliseconds one leads over to the other.

    Attributes:
        long: of networks of 2 ms and more.
        short: of shorter ones, by group; one that they did not have takes what its terms tell.
        least: milliseconds of the shortest network of the calibration.
    """

    long: Line = PLAIN
    short: Mapping[str, Part] = field(default_factory=dict)
    least: float = 0.0

    def apply(self, sums: Sums) -> float:
        """The time of a network with these kernels; never less than half of what they take in a long one."""
        long = max(self.long.scale * sums.milliseconds + self.long.kernel * sums.kernels, sums.milliseconds / 2)
        if not self.short:
            return long
        short = sum(part.scale * group.milliseconds + part.each * group.kernels for group, part in self._parts(sums))
        share = long_share(short)
        return share * long + (1 - share) * short

    def _parts(self, sums: Sums) -> Iterator[tuple[Group, Part]]:
        return ((group, self.short.get(name, Part())) for name, group in sums.groups.items())


def long_share(milliseconds: float) -> float:
    """How much of a long network one is that takes so long: from 0 to 1."""
    return min(1.0, max(0.0, (milliseconds - BLEND[0]) / (BLEND[1] - BLEND[0])))


def group_of(kernel: Kernel) -> str:
    """Depthwise convolutions of all sides and strides together; others by kind, and whether weights outnumber maps."""
    if kernel.kind[-1].isdigit():
        return kernel.kind[:-3]
    maps = kernel.terms.get("in", 0.0) + kernel.terms.get("out", 0.0)
    return f"{kernel.kind} of weights" if kernel.terms.get("weights", 0.0) > maps else kernel.kind


@dataclass(frozen=True, kw_only=True, slots=True)
class LatencyModel:
    """Predicts milliseconds of networks on the target that it was calibrated on.

    Attributes:
        vectors: how the engine cuts its kernels there.
        coefficients: of every kind of kernel that the calibration met.
        correction: from kernels to networks.
        spread: half the width of the interval, as a natural logarithm.
        short_spread: that of networks shorter than `BLEND`.
    """

    vectors: Vectors
    coefficients: Coefficients
    correction: Correction
    spread: float
    short_spread: float

    def predict(self, network: Network) -> Prediction:
        """The time of one run; a millisecond to find, six for a compiled network.

        Raises:
            InputError: the network cannot be resolved.
        """
        middle = self.correction.apply(self.sums(resolve(network)))
        share, below = long_share(middle), self.correction.least / middle if middle else 1.0
        spread = share * self.spread + (1 - share) * self.short_spread + _BELOW * log(max(1.0, below))
        return Prediction(middle, middle * exp(-spread), middle * exp(spread))

    def sums(self, resolved: Resolved) -> Sums:
        """All kernels of a network."""
        if self.vectors.compiled:
            return self.summed([(kernel, 1) for kernel in step_kernels(resolved.network, self.vectors.block)])
        runs = ((block_kernels(block, self.vectors), repeats) for block, repeats, _ in resolved.runs)
        return self.summed([(kernel, repeats) for kernels, repeats in runs for kernel in kernels])

    def summed(self, kernels: Iterable[tuple[Kernel, int]]) -> Sums:
        """Of kernels, each with how often it is there."""
        number, milliseconds, groups = 0, 0.0, defaultdict[str, Group](Group)
        for kernel, times in kernels:
            took = self.kernel(kernel)
            number, milliseconds = number + times, milliseconds + times * took
            groups[group_of(kernel)] += Group(times, times * (took - self._start(kernel)))
        return Sums(number, milliseconds, groups)

    def kernel(self, kernel: Kernel) -> float:
        """Milliseconds of one kernel; a kind that the calibration did not meet costs as much as the kind most alike."""
        found = self._coefficients(kernel.kind)
        return sum(found.get(name, 0.0) * value for name, value in kernel.terms.items())

    def _start(self, kernel: Kernel) -> float:
        return self._coefficients(kernel.kind).get(START, 0.0) * kernel.terms.get(START, 0.0)

    def _coefficients(self, kind: str) -> Mapping[str, float]:
        known = self.coefficients
        return known.get(kind) or next((known[one] for one in _alike(kind) if one in known), {})


_ALIKE = {"grouped": ["dense"], "norm": ["silu"], "pool": ["silu", "mean"], "combine": ["mean"], "winograd": ["dense"]}


def _alike(kind: str) -> Sequence[str]:
    """Kinds whose terms cost about the same, the most alike first."""
    if not kind[-1].isdigit():
        return _ALIKE.get(kind, [])
    layer, stride = kind[:-3], kind[-1]  # of a depthwise convolution with its side and stride
    return [f"{name}{side}s{stride}" for name in (layer, layer.removeprefix("stem")) for side in KERNEL_SIDES]
