"""A calibrated predictor as a value: coefficients of each kernel's terms, a correction, an interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import NamedTuple

from triscale.latency.predictor.block_kernels import block_kernels
from triscale.latency.predictor.kernel_features import KERNEL_SIDES, Kernel, Vectors
from triscale.latency.predictor.step_kernels import step_kernels
from triscale.spec import Network, Resolved, resolve

_BELOW = 0.5
"""How fast the interval widens below the shortest network of a calibration: at a quarter of its time twice as wide."""

BLEND = (1.0, 3.0)
"""Milliseconds of a network's kernels."""

Coefficients = Mapping[str, Mapping[str, float]]
"""Milliseconds for one of each term, by the kind of kernel."""


class Prediction(NamedTuple):
    """Milliseconds, and an interval that covers the measured time of 9 in 10 unseen networks."""

    milliseconds: float
    low: float
    high: float


class Line(NamedTuple):
    """`scale * sum + kernel * kernels + constant`; the last two may be below 0: a profile makes every kernel longer."""

    scale: float = 1.0
    kernel: float = 0.0
    constant: float = 0.0

    def at(self, kernels: int, milliseconds: float) -> float:
        """The value for so many kernels that take so long together."""
        return self.scale * milliseconds + self.kernel * kernels + self.constant


PLAIN = Line()


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """From the sum of a network's kernels to its time.

    Maps and weights of short networks stay in near caches: their kernels take less than the same terms tell of long
    ones. So there are two lines, and between `BLEND` milliseconds one leads over to the other.

    Attributes:
        short: of all networks of the calibration.
        long: of those of 2 ms and more.
        least: milliseconds of the kernels of the shortest one. Below, where a line's constant would be most of it, the
            correction is the factor that it is there.
    """

    short: Line = PLAIN
    long: Line = PLAIN
    least: float = 0.0

    def apply(self, kernels: int, milliseconds: float) -> float:
        """Never less than half of what the kernels take."""
        total = max(milliseconds, self.least)
        share = min(1.0, max(0.0, (total - BLEND[0]) / (BLEND[1] - BLEND[0])))
        value = share * self.long.at(kernels, total) + (1 - share) * self.short.at(kernels, total)
        return milliseconds * max(0.5, value / total) if total else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LatencyModel:
    """Predicts milliseconds of networks on the target that it was calibrated on.

    Attributes:
        vectors: how the engine cuts its kernels there.
        coefficients: of every kind of kernel that the calibration met.
        correction: from kernels to networks.
        spread: half the width of the interval, as a natural logarithm.
    """

    vectors: Vectors
    coefficients: Coefficients
    correction: Correction
    spread: float

    def predict(self, network: Network) -> Prediction:
        """The time of one run; a millisecond to find, six for a compiled network.

        Raises:
            InputError: the network cannot be resolved.
        """
        kernels, milliseconds = self.total(resolve(network))
        middle = self.correction.apply(kernels, milliseconds)
        spread = self.spread + _BELOW * log(max(1.0, self.correction.least / milliseconds)) if milliseconds else 0.0
        return Prediction(middle, middle * exp(-spread), middle * exp(spread))

    def total(self, resolved: Resolved) -> tuple[int, float]:
        """The number of a network's kernels, and the sum of their milliseconds."""
        if self.vectors.compiled:
            steps = step_kernels(resolved.network, self.vectors.block)
            return len(steps), sum(map(self.kernel, steps))
        number, milliseconds = 0, 0.0
        for block, repeats, _ in resolved.runs:
            kernels = block_kernels(block, self.vectors)
            number += repeats * len(kernels)
            milliseconds += repeats * sum(map(self.kernel, kernels))
        return number, milliseconds

    def kernel(self, kernel: Kernel) -> float:
        """Milliseconds of one kernel; a kind that the calibration did not meet costs as much as the kind most alike."""
        known = self.coefficients
        found = known.get(kernel.kind) or next((known[one] for one in _alike(kernel.kind) if one in known), {})
        return sum(found.get(name, 0.0) * value for name, value in kernel.terms.items())


_ALIKE = {"grouped": ["dense"], "norm": ["silu"], "pool": ["silu", "mean"], "combine": ["mean"], "winograd": ["dense"]}


def _alike(kind: str) -> Sequence[str]:
    """Kinds whose terms cost about the same, the most alike first."""
    if not kind[-1].isdigit():
        return _ALIKE.get(kind, [])
    layer, stride = kind[:-3], kind[-1]  # of a depthwise convolution with its side and stride
    return [f"{name}{side}s{stride}" for name in (layer, layer.removeprefix("stem")) for side in KERNEL_SIDES]
