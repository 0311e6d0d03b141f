"""Colours of the images of the triangle: bands that their lightness tells apart, for light and dark pages."""

from collections.abc import Sequence

Rgb = tuple[int, int, int]

LIGHT: tuple[Rgb, ...] = (
    (0xF6, 0xF8, 0xFA),
    (0xD3, 0xE3, 0xEC),
    (0xA1, 0xC7, 0xDB),
    (0x68, 0xA5, 0xC5),
    (0x2F, 0x7B, 0xA6),
)
DARK: tuple[Rgb, ...] = (
    (0x17, 0x20, 0x27),
    (0x1A, 0x38, 0x49),
    (0x20, 0x57, 0x72),
    (0x31, 0x7F, 0xA1),
    (0x63, 0xB0, 0xCF),
)
"""From the lowest band to the highest: away from the colour of the page."""

_SHARED = """
  .triangle text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #1d2126; }
  .triangle .page { fill: #ffffff; }
  .triangle .title { font-size: 16px; font-weight: 650; }
  .triangle .corner { font-weight: 650; }
  .triangle .soft { font-size: 11.5px; fill: #5b6570; }
  .triangle .on { font-size: 11px; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round; paint-order: stroke; }
  .triangle .mark { font-weight: 650; }
  .triangle .middle { text-anchor: middle; } .triangle .end { text-anchor: end; }
  .triangle .frame { fill: none; stroke: #1d2126; stroke-width: 1.2; }
  .triangle .iso { stroke: #1d2126; stroke-opacity: .45; stroke-width: .7; }
  .triangle .region { stroke: #1d2126; stroke-width: 1.8; stroke-dasharray: 5 3; fill: url(#triangle-hatch); }
  .triangle .hatch { stroke: #1d2126; stroke-opacity: .4; stroke-width: 1; }
  .triangle .seen { fill: #ffffff; stroke: #1d2126; stroke-width: 1.6; }
  .triangle .unseen { fill: #1d2126; fill-opacity: .75; }
  .triangle .ring { fill: none; stroke: #b84f00; stroke-width: 2.6; }
  .triangle .paper { fill: none; stroke: #1d2126; stroke-width: 1.6; }
  .triangle .halo { fill: none; stroke: #ffffff; stroke-width: 5; }
  .triangle .line { fill: none; stroke: #2f7ba6; stroke-width: 2.2; }
  .triangle .spread { fill: #2f7ba6; fill-opacity: .22; }
  .triangle .grid { stroke: #dfe3e8; } .triangle .best { stroke: #1d2126; stroke-width: 5; }"""

_DARK = """
    .triangle text { fill: #e4e7ea; } .triangle .page { fill: #15181c; } .triangle .soft { fill: #9aa4ae; }
    .triangle .on { stroke: #15181c; }
    .triangle .frame, .triangle .iso, .triangle .hatch, .triangle .region, .triangle .paper { stroke: #e4e7ea; }
    .triangle .seen { fill: #15181c; stroke: #e4e7ea; } .triangle .unseen { fill: #e4e7ea; }
    .triangle .ring { stroke: #f29a55; } .triangle .halo { stroke: #15181c; }
    .triangle .line { stroke: #63b0cf; } .triangle .spread { fill: #63b0cf; }
    .triangle .grid { stroke: #30363d; } .triangle .best { stroke: #e4e7ea; }"""


def style(bands: int) -> str:
    """The style sheet of an image; a band has the class `b0`, `b1` and so on. It says nothing of other images."""
    dark = f"@media (prefers-color-scheme: dark) {{{_DARK}\n{_fills(DARK, bands)}\n  }}"
    return f"{_SHARED}\n{_fills(LIGHT, bands)}\n  {dark}"


def colors(ramp: Sequence[Rgb], bands: int) -> list[Rgb]:
    """So many colours of a ramp, evenly apart; a single one is its middle."""
    if bands == 1:
        return [ramp[len(ramp) // 2]]
    return [_at(ramp, place / (bands - 1)) for place in range(bands)]


def _at(ramp: Sequence[Rgb], place: float) -> Rgb:
    low = min(int(place * (len(ramp) - 1)), len(ramp) - 2)
    by = place * (len(ramp) - 1) - low
    red, green, blue = (round(one + by * (two - one)) for one, two in zip(ramp[low], ramp[low + 1], strict=True))
    return red, green, blue


def _fills(ramp: Sequence[Rgb], bands: int) -> str:
    return "\n".join(
        f"  .triangle .b{index} {{ fill: #{red:02x}{green:02x}{blue:02x}; }}"
        for index, (red, green, blue) in enumerate(colors(ramp, bands))
    )
