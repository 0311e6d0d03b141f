"""Every rounding in triscale: channels, repeats, sides, inner widths, padded sizes. Nothing else in the package rounds.

The rules are those of the authors' code (EfficientNet, section 3 and `efficientnet_model.py`); the tolerance against
floating-point noise is ours.
"""

import math
from typing import Literal

Padding = Literal["same", "symmetric", "valid"]
Size = tuple[int, int]

_UP, _DOWN = 1 + 1e-9, 1 - 1e-9
"""2.2 * 25 is 55.00000000000001; without a tolerance a whole layer would be added by the last bit. Relative, so that
thresholds which coincide in exact arithmetic still coincide."""


def round_channels(channels: float, divisor: int, floor: float = 0.9) -> int:
    """Nearest multiple of `divisor` (half rounds up), at least `divisor`, never below `floor` of the value wanted."""
    rounded = max(divisor, int(channels * _UP + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < floor * channels * _DOWN else rounded


def round_repeats(repeats: float) -> int:
    """Repeats of a scaled stage: rounded up, at least 1."""
    return max(1, math.ceil(repeats * _DOWN))


def round_side(pixels: float) -> int:
    """A side of a scaled image in pixels: nearest (half rounds up), at least 1."""
    return max(1, math.floor(pixels * _UP + 0.5))


def round_squeeze(channels: float, divisor: int = 1) -> int:
    """Channels of the squeezed vector in squeeze-excite: rounded down, at least 1; or as a width is, on a divisor."""
    return max(1, int(channels * _UP)) if divisor == 1 else round_channels(channels, divisor)


def round_grouped(channels: int, groups: int) -> int:
    """Channels of a grouped convolution: rounded as a width is, so that every group has as many."""
    return round_channels(channels, groups) if channels % groups else channels


def output_side(side: int, kernel: int, stride: int, padding: Padding) -> int:
    """Pixels that a convolution leaves of `side`; below 1 where a "valid" kernel is larger than the map."""
    if padding == "same":
        return -(-side // stride)
    around = 2 * (kernel // 2) if padding == "symmetric" else 0
    return (side + around - kernel) // stride + 1


def pad_side(side: int, kernel: int, stride: int, padding: Padding) -> tuple[int, int]:
    """Pixels added (before, after) along one side; with "same" and an odd total the extra one comes after."""
    if padding != "same":
        around = kernel // 2 if padding == "symmetric" else 0
        return around, around
    total = max((output_side(side, kernel, stride, padding) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2
