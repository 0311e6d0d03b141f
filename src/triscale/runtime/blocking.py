"""How many channels and pixels a kernel takes at a time: sizes that depend on the network and the registers alone."""

from typing import NamedTuple

_WIDE_VECTOR = 4
"""Panels of outputs at a time where there is one pixel: as many sums must be under way at once."""

_INNERMOST = 28 * 1024
"""Bytes of rings that stay in the innermost cache, which has 32 KiB or more."""


class Widths(NamedTuple):
    """How many panels of outputs a convolution makes at a time: `first` once, then `wide`."""

    first: int
    wide: int


def panels(channels: int, lanes: int) -> int:
    """How many panels hold so many channels."""
    return -(-channels // lanes)


def widths(outputs: int, pixels: int) -> Widths:
    """For so many panels of outputs of so many pixels; `first` makes the rest come out even."""
    if pixels == 1:
        wide = min(outputs, _WIDE_VECTOR)
        return Widths(outputs % wide or wide, wide)
    if outputs % 2 == 0:
        return Widths(2, 2)
    return Widths(1, 1) if outputs == 1 else Widths(3, 2)


def ring_widths(outputs: int, panel_bytes: int) -> Widths:
    """For so many panels whose ring has so many bytes each."""
    if outputs == 1 or 2 * panel_bytes > _INNERMOST:
        return Widths(1, 1)
    return Widths(2 - outputs % 2, 2)
