"""One network scaled five ways, drawn from the specs: Figure 2 of the paper, to scale and with counted cost, as SVG."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import sqrt
from typing import NamedTuple

from triscale import units
from triscale.costs import count_resolved
from triscale.scaling import Factors, factors
from triscale.spec import Block, Network, resolve, scale
from triscale.spec.network_table import operator

_RULES = ("baseline", "width", "depth", "resolution", "compound")
"""In the order of the paper's figure."""

_WIDE, _MARGIN, _LABELS = 960.0, 28.0, 210.0
_ROOM = _WIDE - 2 * _MARGIN - _LABELS
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


class _Box(NamedTuple):
    """A block: its stage (0 stem, -1 head), output channels, and the side of its maps in pixels."""

    stage: int
    channels: int
    side: int


class _Drawn(NamedTuple):
    """A network of the figure."""

    rule: str
    factors: Factors
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


def scaling_figure(base: Network, phi: float) -> str:
    """The baseline and its scalings by width, depth, resolution and compound to `phi`, each of nominal cost 2^phi.

    Every box is one block: its width is to the scale of the output channels, its height to the root of the side of its
    maps. The MACs beside it are counted.

    Raises:
        UsageError: phi is not finite.
        InputError: a network too large to be meant.
    """
    drawn = [_drawn(base, rule, phi) for rule in _RULES]
    unit = _fit(drawn)
    parts: list[str] = []
    y = _TOP
    for letter, one in zip("abcde", drawn, strict=True):
        height = max(unit.root * sqrt(one.side), _LABEL_HEIGHT)
        parts += _row(one, letter, y + height / 2, unit, drawn[0])
        y += height + _BETWEEN
    parts.append(f'<line class="rule" x1="{_MARGIN:g}" x2="{_WIDE - _MARGIN:g}" y1="{y:.1f}" y2="{y:.1f}"/>')
    legend = list(_legend(base, y + 26))
    rows = -(-len(legend) // _COLUMNS)
    return _document(base, phi, y + 26 + rows * _LINE + 8, [*_heading(base, phi), *parts, *legend])


def _drawn(base: Network, rule: str, phi: float) -> _Drawn:
    by = Factors() if rule == "baseline" else factors(rule, phi)
    resolved = resolve(scale(base, **by._asdict()))
    counts = count_resolved(resolved)
    boxes = tuple(_box(stage, block) for stage, block in resolved.flat() if block.operator != "classifier")
    return _Drawn(rule, by, resolved.network.resolution[0], boxes, counts.params, counts.macs)


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


def _row(one: _Drawn, letter: str, middle: float, unit: _Scale, base: _Drawn) -> Iterable[str]:
    """The label of a network, its input picture and its boxes, around a middle line."""
    yield from _label(one, letter, middle, base)
    x, side = _MARGIN + _LABELS, unit.root * sqrt(one.side)
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


def _label(one: _Drawn, letter: str, middle: float, base: _Drawn) -> Iterable[str]:
    by = ", ".join(f"{axis[0]}={value:.3g}" for axis, value in one.factors._asdict().items() if value != 1)
    blocks = sum(box.stage > 0 for box in one.boxes)
    times = "" if one is base else f'<tspan class="mark" dx="8">{one.macs / base.macs:.2f}×</tspan>'
    down = 0 if by else 8  # so that three lines are centred too
    lines = (
        ("name", -24, f"({letter}) {one.rule}{times}"),
        ("", -3, f"{units.count(one.macs)} MACs"),
        ("soft", 16, f"{units.count(one.params)} params, {blocks} blocks"),
        ("soft", 33, by),
    )
    for kind, y, text in lines:
        if text:
            yield f'<text class="{kind}" x="{_MARGIN:g}" y="{middle + down + y:.1f}">{text}</text>'


def _heading(base: Network, phi: float) -> Iterable[str]:
    lines = (
        ("title", 40, f"Four ways to spend {2**phi:.3g} times the cost of {escape(base.name)}"),
        (
            "soft",
            62,
            "A box is a block: its width shows the output channels, its height the side of its maps (square root).",
        ),
        (
            "soft",
            79,
            f"Nominal cost 2^φ at φ = {phi:g}; what is written beside each network is counted after rounding.",
        ),
    )
    for kind, y, text in lines:
        yield f'<text class="{kind}" x="{_MARGIN:g}" y="{y}">{text}</text>'


def _legend(base: Network, y: float) -> Iterable[str]:
    """The stages of the baseline, by colour, and the grey of its ends."""
    firsts = {run.stage: run.block for run in reversed(resolve(base).runs)}
    last = len(base.stages)
    entries = [
        (f'fill="{_color(index, last)}"', f"{operator(stage)} · {stage.channels} ch · {firsts[index].output[0]} px")
        for index, stage in enumerate(base.stages, 1)
    ]
    column = (_WIDE - 2 * _MARGIN) / _COLUMNS
    for index, (paint, text) in enumerate([*entries, ('class="ends"', "stem and head")]):
        left, line = _MARGIN + index % _COLUMNS * column, y + index // _COLUMNS * _LINE
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


def _document(base: Network, phi: float, height: float, parts: Iterable[str]) -> str:
    body = "\n".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE:g} {height:.0f}" role="img" \
aria-label="{escape(base.name)} scaled by width, depth, resolution and all three to phi = {phi:g}">
<style>{_STYLE}
</style>
<rect class="page" width="{_WIDE:g}" height="{height:.0f}" rx="8"/>
{body}
</svg>
"""
