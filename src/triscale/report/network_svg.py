"""Networks drawn from their specs, one below the other and to one scale: a box is a block, with counted cost beside it.

A box is as wide as its output channels, and as high as the root of the side of its maps.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import sqrt
from typing import NamedTuple

from triscale import units
from triscale.costs import count_resolved
from triscale.spec import Block, Network, resolve
from triscale.spec.network_table import operator

PAGE_WIDE, MARGIN, _LABELS = 960.0, 28.0, 210.0
_ROOM = PAGE_WIDE - 2 * MARGIN - _LABELS
_TALLEST, _LEAST, _LABEL_HEIGHT = 116.0, 1.2, 84.0
_TOP, _BETWEEN, _LINE, _COLUMNS = 104.0, 22.0, 22.0, 3
_BLOCK_GAP, _STAGE_GAP = 1.0, 5.0

_RAMP = ("#3b82c4", "#6a78d1", "#9a6cc8", "#c862a8", "#e2617f", "#ec7a55", "#f0a03c")
"""First to last stage; all of middle lightness, so that they stand out from a light and from a dark page."""

_STYLE = """
  :root { color-scheme: light dark; }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #1d2126; }
  .page { fill: #ffffff; } .soft { fill: #5b6570; font-size: 12px; font-weight: 400; }
  .title { font-size: 19px; font-weight: 650; } .name { font-weight: 650; font-size: 15px; }
  .mark { fill: #b84f00; font-weight: 650; }
  .ends { fill: #a3adb7; } .picture { fill: #f3f5f7; stroke: #c5ccd3; } .rule { stroke: #e3e7eb; }
  .side { font-size: 12px; fill: #5b6570; text-anchor: middle; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7ea; } .page { fill: #15181c; } .soft { fill: #9aa4ae; } .mark { fill: #f29a55; }
    .side { fill: #9aa4ae; }
    .ends { fill: #59636d; } .picture { fill: #1e242a; stroke: #3c454e; } .rule { stroke: #2a3037; }
  }"""


BOXES = "A box is a block: its width shows the output channels, its height the side of its maps (square root)."


class _Box(NamedTuple):
    """A block: its stage (0 stem, -1 head), output channels, and the side of its maps in pixels."""

    stage: int
    channels: int
    side: int


class _Drawn(NamedTuple):
    """A network of the figure."""

    name: str
    detail: str
    side: int
    boxes: tuple[_Box, ...]
    params: int
    macs: int


class _Scale(NamedTuple):
    """Units of the drawing for a channel, for the root of a side, and in front of a block and of a stage."""

    channel: float
    root: float
    block: float
    stage: float


def networks_svg(
    named: Sequence[tuple[str, str, Network]], headings: Iterable[tuple[str, str]], about: str, legends: int = 1
) -> str:
    """A figure of networks below one another, the first of them the baseline that the others are compared with.

    Args:
        named: networks with their names and a further line each (or ""), the baseline first.
        headings: lines above them, each with its style: `title` or `soft`.
        about: the figure in a sentence, for those who do not see it.
        legends: of how many of the networks the stages are named, from the first.
    """
    drawn = [_drawn(*one) for one in named]
    unit = _fit(drawn)
    parts: list[str] = []
    y = _TOP
    for one in drawn:
        height = max(unit.root * sqrt(one.side), _LABEL_HEIGHT)
        parts += _row(one, y + height / 2, unit, drawn[0])
        y += height + _BETWEEN
    parts.append(f'<line class="rule" x1="{MARGIN:g}" x2="{PAGE_WIDE - MARGIN:g}" y1="{y:.1f}" y2="{y:.1f}"/>')
    y += 26
    for name, _, network in named[:legends]:
        legend = list(_legend(network, y, name if legends > 1 else ""))
        parts += legend
        y += -(-len(legend) // _COLUMNS) * _LINE
    return svg_page(about, y + 8, [*_heading(headings), *parts])


def _heading(lines: Iterable[tuple[str, str]]) -> Iterable[str]:
    for y, (kind, text) in zip((40, 62, 79), lines, strict=False):
        yield f'<text class="{kind}" x="{MARGIN:g}" y="{y}">{escape(text)}</text>'


def _drawn(name: str, detail: str, network: Network) -> _Drawn:
    resolved = resolve(network)
    counts = count_resolved(resolved)
    boxes = tuple(_box(stage, block) for stage, block in resolved.flat() if block.operator != "classifier")
    return _Drawn(name, detail, resolved.network.resolution[0], boxes, counts.params, counts.macs)


def _box(stage: int, block: Block) -> _Box:
    if stage == -1:
        return _Box(stage, block.inner_channels, block.input[0])
    return _Box(stage, block.out_channels, block.output[0])


def _fit(drawn: Sequence[_Drawn]) -> _Scale:
    """The largest scale at which every network has room; very many blocks or stages stand closer."""
    root = _TALLEST / sqrt(max(one.side for one in drawn))
    stages = 2 + max(box.stage for box in drawn[0].boxes)
    unit = _Scale(
        channel=0,
        root=root,
        block=min(_BLOCK_GAP, 0.2 * _ROOM / max(len(one.boxes) for one in drawn)),
        stage=min(_STAGE_GAP, 0.2 * _ROOM / stages),
    )
    free = [
        (_ROOM - root * sqrt(one.side) - sum(_gaps(one.boxes, unit))) / sum(box.channels for box in one.boxes)
        for one in drawn
    ]
    return unit._replace(channel=min(free))


def _gaps(boxes: Sequence[_Box], unit: _Scale) -> Iterator[float]:
    """What lies in front of each box."""
    last = None
    for box in boxes:
        yield unit.block if box.stage == last else unit.stage
        last = box.stage


def _row(one: _Drawn, middle: float, unit: _Scale, base: _Drawn) -> Iterable[str]:
    """The label of a network, its input image and its boxes, around a middle line."""
    yield from _label(one, middle, base)
    x, side = MARGIN + _LABELS, unit.root * sqrt(one.side)
    yield (
        f'<rect class="picture" x="{x:.1f}" y="{middle - side / 2:.1f}" width="{side:.1f}" height="{side:.1f}" rx="3"/>'
        f'<text class="side" x="{x + side / 2:.1f}" y="{middle + 4:.1f}">{one.side} px</text>'
    )
    x += side
    last = max(box.stage for box in one.boxes)
    for box, gap in zip(one.boxes, _gaps(one.boxes, unit), strict=True):
        wide, high = max(unit.channel * box.channels, _LEAST * unit.block), unit.root * sqrt(box.side)
        paint = f'fill="{_color(box.stage, last)}"' if box.stage > 0 else 'class="ends"'
        x += gap
        yield (
            f'<rect {paint} x="{x:.1f}" y="{middle - high / 2:.1f}" width="{wide:.1f}" height="{high:.1f}" '
            f'rx="{min(1.5, wide / 3):.1f}"/>'
        )
        x += wide


def _label(one: _Drawn, middle: float, base: _Drawn) -> Iterable[str]:
    blocks = sum(box.stage > 0 for box in one.boxes)
    times = "" if one is base else f'<tspan class="mark" dx="8">{one.macs / base.macs:.2f}×</tspan>'
    down = 0 if one.detail else 8  # so that three lines are centred too
    lines = (
        ("name", -24, f"{escape(one.name)}{times}"),
        ("", -3, f"{units.count(one.macs)} MACs"),
        ("soft", 16, f"{units.count(one.params)} params, {blocks} blocks"),
        ("soft", 33, escape(one.detail)),
    )
    for kind, y, text in lines:
        if text:
            yield f'<text class="{kind}" x="{MARGIN:g}" y="{middle + down + y:.1f}">{text}</text>'


def _legend(base: Network, y: float, name: str) -> Iterable[str]:
    """The stages of a network by colour; the grey of stem and head only where no name needs its place."""
    firsts = {run.stage: run.block for run in reversed(resolve(base).runs)}
    last = len(base.stages)
    entries = [
        (f'fill="{_color(index, last)}"', f"{operator(stage)} · {stage.channels} ch · {firsts[index].output[0]} px")
        for index, stage in enumerate(base.stages, 1)
    ]
    column = (PAGE_WIDE - 2 * MARGIN) / _COLUMNS
    entries = [*entries, ('class="ends"', "stem and head")] if not name else [("", name), *entries]
    for index, (paint, text) in enumerate(entries):
        left, line = MARGIN + index % _COLUMNS * column, y + index // _COLUMNS * _LINE
        if not paint:
            yield f'<text class="soft" x="{left:.1f}" y="{line:.1f}">{escape(text)}:</text>'
            continue
        yield (
            f'<rect {paint} x="{left:.1f}" y="{line - 10:.1f}" width="11" height="11" rx="2"/>'
            f'<text class="soft" x="{left + 18:.1f}" y="{line:.1f}">{escape(text)}</text>'
        )


def _color(stage: int, last: int) -> str:
    """The ramp at a stage, first to last."""
    place = (stage - 1) / max(1, last - 1) * (len(_RAMP) - 1)
    low = min(int(place), len(_RAMP) - 2)
    ends = [[int(one[i : i + 2], 16) for i in (1, 3, 5)] for one in _RAMP[low : low + 2]]
    mixed = (round(a + (b - a) * (place - low)) for a, b in zip(*ends, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def svg_page(about: str, height: float, parts: Iterable[str]) -> str:
    """The page of a figure, which shows on light and on dark pages; `about` is it in a sentence."""
    body = "\n".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {PAGE_WIDE:g} {height:.0f}" role="img" \
aria-label="{escape(about)}">
<style>{_STYLE}
</style>
<rect class="page" width="{PAGE_WIDE:g}" height="{height:.0f}" rx="8"/>
{body}
</svg>
"""
