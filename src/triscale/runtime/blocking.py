"""How maps lie, and how many channels a kernel takes at a time: by the network and the registers alone."""

from typing import NamedTuple

from triscale.spec import Layer

FLOAT = 4
"""Bytes of a number."""

_WIDE_VECTOR = 4
"""Panels of outputs at a time where there is one pixel: as many sums must be under way at once."""

_INNERMOST = 28 * 1024
"""Bytes of rings that stay in the innermost cache, which has 32 KiB or more."""


class Place(NamedTuple):
    """How a map lies in the arena, or a ring in the memory of a thread; all in floats.

    Attributes:
        offset: of its first panel.
        block: channels of a panel, side by side for each pixel.
        first: from a panel's beginning to its first pixel inside of the frame.
        row, panel: from a row to the next, from a panel to the next.
        floats: of all panels.
    """

    offset: int
    block: int
    first: int
    row: int
    panel: int
    floats: int


class Widths(NamedTuple):
    """How many panels of outputs a convolution makes at a time: `first` once, then `wide`."""

    first: int
    wide: int

    def chunks(self, outputs: int) -> int:
        """How many times it does so for so many panels."""
        return 1 + (outputs - self.first) // self.wide


def panels(channels: int, lanes: int) -> int:
    """How many panels hold so many channels."""
    return -(-channels // lanes)


def is_gathered(layer: Layer, lanes: int) -> bool:
    """Whether the groups of a convolution are not whole panels, so that each lane needs inputs of its own."""
    parts = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    return layer.groups > 1 and any(part % lanes for part in parts)


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
