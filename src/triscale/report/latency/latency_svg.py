"""Latencies drawn: a row for each network and target, a dot at the median and a line for its interval, as SVG."""

import math
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple

from triscale.intervals import LEVEL
from triscale.latency.measuring import Measurement
from triscale.report.network_svg import MARGIN, PAGE_WIDE, svg_page

_LABELS, _VALUES = 250.0, 92.0
_TOP, _ROW, _GAP, _AXIS = 92.0, 20.0, 30.0, 34.0
_COLORS = {"torch": "#e2617f", "torch_compile": "#9a6cc8", "onnxruntime": "#3b82c4", "openvino": "#f0a03c"}
_OTHER = "#7f8a94"
_RADIUS = 4.5


class _Scale(NamedTuple):
    """A logarithmic axis of milliseconds."""

    low: float
    high: float

    def x(self, value: float) -> float:
        left, right = MARGIN + _LABELS, PAGE_WIDE - MARGIN - _VALUES
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return left + share * (right - left)


def latency_figure(measured: Sequence[Measurement]) -> str:
    """The figure of at least one measurement; an open dot is a figure that is not clean."""
    scale = _fit(measured)
    parts: list[str] = []
    y = _TOP
    for name, rows in groupby(_ordered(measured), key=lambda one: one.network):
        parts.append(_text("name", MARGIN, y, name))
        for one in rows:
            y += _ROW
            parts += _row(one, y, scale)
        y += _GAP
    bottom = y - _GAP + 14
    titles = [_text("title", MARGIN, 40, "Milliseconds of a step"), _text("soft", MARGIN, 62, _explained(measured))]
    about = "Latency of networks by engine and precision"
    return svg_page(about, bottom + _AXIS, [*titles, *_grid(scale, bottom), *parts])


def _explained(measured: Sequence[Measurement]) -> str:
    sure = all(one.coverage >= LEVEL for one in measured)
    lines = "their 95% intervals" if sure else "their intervals, of less than 95% where few rounds count"
    return f"Dots are medians, lines {lines}; an open dot was measured on a loaded machine."


def _ordered(measured: Sequence[Measurement]) -> list[Measurement]:
    names = list(dict.fromkeys(one.network for one in measured))
    return sorted(measured, key=lambda one: (names.index(one.network), one.median_ms))


def _fit(measured: Sequence[Measurement]) -> _Scale:
    ends = [math.log10(end) for one in measured for end in one.interval_ms]
    room = max(0.06, 0.04 * (max(ends) - min(ends)))
    return _Scale(min(ends) - room, max(ends) + room)


def _row(one: Measurement, y: float, scale: _Scale) -> Iterable[str]:
    color = _COLORS.get(one.target.runtime, _OTHER)
    target = f"{one.target.runtime} {one.target.precision}"
    more = f", {one.target.threads} threads" * (one.target.threads > 1) + f", batch {one.target.batch}" * (
        one.target.batch > 1
    )
    low, high = (scale.x(end) for end in one.interval_ms)
    middle = y - 4
    yield _text("soft", MARGIN + 12, y, target + more)
    yield f'<line stroke="{color}" stroke-width="2" x1="{low:.1f}" x2="{high:.1f}" y1="{middle:g}" y2="{middle:g}"/>'
    fill = f'fill="{color}"' if one.clean else 'class="page"'
    paint = f'{fill} stroke="{color}" stroke-width="1.5"'
    place = f'cx="{scale.x(one.median_ms):.1f}" cy="{middle:g}" r="{_RADIUS}"'
    yield f"<circle {paint} {place}><title>{escape(str(one.target))}</title></circle>"
    yield _text("soft", PAGE_WIDE - MARGIN - _VALUES + 14, y, f"{one.median_ms:.4g} ms{'' if one.clean else ' ~'}")


def _grid(scale: _Scale, bottom: float) -> Iterable[str]:
    """Lines at 1, 2 and 5 of each power of ten, or at powers alone where there are many."""
    steps = (1, 2, 5) if scale.high - scale.low < 3 else (1,)
    powers = range(math.floor(scale.low), math.ceil(scale.high) + 1)
    for value in (step * 10.0**power for power in powers for step in steps):
        if scale.low <= math.log10(value) <= scale.high:
            x = scale.x(value)
            yield f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8:g}" y2="{bottom:g}"/>'
            yield f'<text class="side" x="{x:.1f}" y="{bottom + 18:g}">{value:g} ms</text>'


def _text(kind: str, x: float, y: float, words: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(words)}</text>'
