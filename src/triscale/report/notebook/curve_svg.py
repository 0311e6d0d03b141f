"""A small curve of accuracies, as SVG for light and dark pages."""

from collections.abc import Sequence
from html import escape

_WIDE, _HIGH, _LEFT, _FOOT, _TOP = 380.0, 170.0, 46.0, 26.0, 12.0
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #5b6570; } .line { fill: none; stroke: #b84f00; stroke-width: 2; }
  .rule { stroke: #c5ccd3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #9aa4ae; } .line { stroke: #f29a55; } .rule { stroke: #3c454e; }
  }"""


def curve_svg(values: Sequence[float], about: str) -> str:
    """A line through fractions, one an epoch; at least two of them.

    Args:
        values: between 0 and 1, in order.
        about: the figure in a sentence, for those who do not see it.
    """
    low, high = min(values), max(values)
    room = max(high - low, 1e-3)
    wide, high_px = _WIDE - _LEFT - 10, _HIGH - _FOOT - _TOP
    points = " ".join(
        f"{_LEFT + wide * index / (len(values) - 1):.1f},{_TOP + high_px * (1 - (value - low) / room):.1f}"
        for index, value in enumerate(values)
    )
    foot = _HIGH - _FOOT
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE:g} {_HIGH:g}" role="img" \
aria-label="{escape(about)}">
<style>{_STYLE}
</style>
<line class="rule" x1="{_LEFT:g}" x2="{_WIDE - 10:g}" y1="{foot:g}" y2="{foot:g}"/>
<text x="4" y="{_TOP + 8:g}">{100 * high:.1f} %</text>
<text x="4" y="{foot:g}">{100 * low:.1f} %</text>
<text x="{_LEFT:g}" y="{_HIGH - 8:g}">epoch 1</text>
<text x="{_WIDE - 10:g}" y="{_HIGH - 8:g}" text-anchor="end">{len(values)}</text>
<polyline class="line" points="{points}"/>
</svg>
"""
