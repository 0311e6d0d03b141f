"""The records of replays as a picture and as tables: docs/samplers.svg and the marked part of docs/samplers.md."""

import json
import math
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.harness import RECORDS, ROOT

PICTURE, PAGE = ROOT / "docs" / "samplers.svg", ROOT / "docs" / "samplers.md"
BEGIN, END = "<!-- tables of the records: begin -->", "<!-- tables of the records: end -->"
SHOWN = (50, 100, 200)
COLORS = {
    "random": "#8a939c", "evolution": "#3b82c4", "controller": "#c862a8", "surrogate": "#1f9d6b", "tpe": "#ec7a55",
    "nsga2": "#8b6fd0", "gp": "#b08d2b",
}  # fmt: skip
TITLES = {
    ("macro", "accuracy"): "NAS-Bench-Macro, accuracy", ("macro", "reward"): "NAS-Bench-Macro, reward",
    ("accel", "accuracy"): "Accel-NASBench, accuracy", ("accel", "reward"): "Accel-NASBench, reward",
}  # fmt: skip
_WIDE, _HIGH, _LEFT, _TOP, _ACROSS, _DOWN = 380.0, 250.0, 62.0, 92.0, 470.0, 330.0
_STYLE = """
  :root { color-scheme: light dark; }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #1d2126; }
  .page { fill: #ffffff; } .soft { fill: #5b6570; font-size: 12px; } .title { font-size: 19px; font-weight: 650; }
  .name { font-weight: 650; font-size: 14px; } .rule { stroke: #e3e7eb; } .mean { fill: none; stroke-width: 2; }
  .band { opacity: 0.18; stroke: none; } .end { text-anchor: end; } .middle { text-anchor: middle; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7ea; } .page { fill: #15181c; } .soft { fill: #9aa4ae; } .rule { stroke: #2a3037; }
  }"""

Key = tuple[str, str, str]


def read(path: Path = RECORDS, lag: int = 1) -> dict[Key, dict[str, Any]]:
    """The last record of each table, objective and sampler at a lag."""
    return {
        (one["table"], one["objective"], one["sampler"]): one for one in _named(path, "search") if one["lag"] == lag
    }


def read_facts(path: Path = RECORDS) -> dict[str, Any] | None:
    """The last record of what else the tables say."""
    return next(reversed(list(_named(path, "search facts"))), None)


def _named(path: Path, name: str) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        entry: dict[str, Any] = json.loads(line)
        if entry.get("name") == name:
            yield entry


class Panel(NamedTuple):
    """A place of the picture and the range of regrets in it."""

    x: float
    y: float
    low: float
    high: float

    def at(self, evaluations: float, regret: float) -> str:
        """A point, on a logarithmic scale of regret."""
        height = math.log(min(max(regret, self.low), self.high) / self.low) / math.log(self.high / self.low)
        return f"{self.x + evaluations / 200 * _WIDE:.1f},{self.y + _HIGH * (1 - height):.1f}"


def picture(records: Mapping[Key, Mapping[str, Any]]) -> str:
    """Mean regret with its interval over evaluations: a panel for each table and objective."""
    parts = list(_heading())
    for index, (table, objective) in enumerate(TITLES):
        curves = {name: one for name in COLORS if (one := records.get((table, objective, name))) is not None}
        if curves:
            panel = _panel(curves.values(), _LEFT + index % 2 * _ACROSS, _TOP + index // 2 * _DOWN)
            parts += [*_frame(panel, TITLES[table, objective]), *_curves(panel, curves)]
    parts += _legend(_TOP + 2 * _DOWN - 14, {name for _, _, name in records})
    wide, high = _LEFT + 2 * _ACROSS, _TOP + 2 * _DOWN + 12
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" role="img" '
        'aria-label="Mean regret of samplers against evaluations on two tables of trained networks">\n'
        f'<style>{_STYLE}\n</style>\n<rect class="page" width="{wide:g}" height="{high:g}" rx="8"/>\n{body}\n</svg>\n'
    )


def _heading() -> Iterable[str]:
    yield f'<text class="title" x="{_LEFT:g}" y="36">Regret of samplers on trained networks</text>'
    yield (
        f'<text class="soft" x="{_LEFT:g}" y="58">Mean over seeds in points (logarithmic), with its 95% interval. '
        "The reward is ACC x (MACs/T)^-0.07.</text>"
    )


def _panel(curves: Iterable[Mapping[str, Any]], x: float, y: float) -> Panel:
    values = [value for one in curves for value in (*one["regret"]["mean"][1:],) if value > 0]
    return Panel(x, y, min(values) / 1.25, max(values) * 1.1)


def _frame(panel: Panel, title: str) -> Iterable[str]:
    yield f'<text class="name" x="{panel.x:g}" y="{panel.y - 10:g}">{title}</text>'
    for regret in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10):
        if panel.low <= regret <= panel.high:
            y = float(panel.at(0, regret).split(",")[1])
            yield f'<line class="rule" x1="{panel.x:g}" x2="{panel.x + _WIDE:g}" y1="{y:g}" y2="{y:g}"/>'
            yield f'<text class="soft end" x="{panel.x - 8:g}" y="{y + 4:g}">{regret:g}</text>'
    for evaluations in (10, 50, 100, 150, 200):
        x = panel.x + evaluations / 200 * _WIDE
        yield f'<text class="soft middle" x="{x:g}" y="{panel.y + _HIGH + 18:g}">{evaluations}</text>'


def _curves(panel: Panel, curves: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for name, one in curves.items():
        regret, at = one["regret"], one["evaluations"]
        low, mean, high = (
            [panel.at(x, y) for x, y in zip(at, regret[edge], strict=True)] for edge in ("low", "mean", "high")
        )
        yield f'<polygon class="band" fill="{COLORS[name]}" points="{" ".join([*low, *reversed(high)])}"/>'
        yield f'<polyline class="mean" stroke="{COLORS[name]}" points="{" ".join(mean)}"/>'


def _legend(y: float, names: Container[str]) -> Iterable[str]:
    shown = [(name, color) for name, color in COLORS.items() if name in names]
    for index, (name, color) in enumerate(shown):
        x = _LEFT + index * 118
        yield f'<rect fill="{color}" x="{x:g}" y="{y - 8:g}" width="18" height="4" rx="2"/>'
        yield f'<text class="soft" x="{x + 25:g}" y="{y:g}">{name}</text>'


def tables(records: Mapping[Key, Mapping[str, Any]]) -> str:
    """A Markdown table for each table and objective: regret at some numbers of evaluations, and against random."""
    parts = []
    for (table, objective), title in TITLES.items():
        rows = {name: one for (where, what, name), one in records.items() if (where, what) == (table, objective)}
        if rows:
            parts.append(f"**{title}**\n\n" + "\n".join(_rows(rows)))
    return "\n\n".join(parts)


def _rows(rows: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    yield "| | " + " | ".join(f"{count} trainings" for count in SHOWN) + " | at 100 against random | searches |"
    yield "|---|" + "---|" * (len(SHOWN) + 2)
    for name in sorted(rows, key=lambda name: _at(rows[name]["regret"], rows[name], 100, "mean") or math.inf):
        one = rows[name]
        cells = [_cell(one["regret"], one, count) for count in SHOWN]
        yield f"| {name} | " + " | ".join([*cells, against(one), str(one["n"])]) + " |"


def _at(numbers: Mapping[str, Sequence[float]], one: Mapping[str, Any], count: int, which: str) -> float | None:
    return numbers[which][one["evaluations"].index(count)] if count in one["evaluations"] else None


def _cell(numbers: Mapping[str, Sequence[float]], one: Mapping[str, Any], count: int) -> str:
    mean, high = (_at(numbers, one, count, which) for which in ("mean", "high"))
    return "-" if mean is None or high is None else f"{mean:.2f} ± {high - mean:.2f}"


def against(one: Mapping[str, Any], count: int = 100) -> str:
    """Whether a sampler beats random search at so many evaluations, by its record."""
    gains = one.get("gain_on_random")
    if gains is None:
        return ""
    mean, low = _at(gains, one, count, "mean"), _at(gains, one, count, "low")
    if mean is None or low is None:
        return "-"
    return f"better by {_cell(gains, one, count)}" if low > 0 else f"**does not beat it** ({_cell(gains, one, count)})"


def words(facts: Mapping[str, Any]) -> str:
    """What else the tables say, as a list in Markdown."""
    b0, error = facts["b0"], facts["held_out"]["rmse"]
    low, high = b0["rank_if_off_by_the_error"]
    where = "stands in the table" if b0["in_table"] else "is not in the table, so its accuracy is predicted"
    ranked = {name: _ranked(facts["ranking"][name]) for name in ("macro", "accel")}
    rank = f"rank {b0['rank']} among {b0['networks']:,} networks"
    near = f"{b0['within_5_percent_of_its_macs']} networks within 5% of its MACs"
    lines = [
        f"""Kendall's tau of trivial predictors with accuracy: {_taus(facts["taus"]["macro"])} on Macro;
  {_taus(facts["taus"]["accel"])} on Accel.""",
        f"""Tau of the surrogate's regression on networks that it has not seen: {ranked["macro"]} on Macro;
  {ranked["accel"]} on Accel, and with the logarithms of MACs and params as two more features
  {_ranked(facts["ranking_with_costs"])}.""",
        f"""The regression that stands for Accel ranks held-out rows with tau {facts["held_out"]["tau"]:.3f} and an
  error of {error:.2f} points, from {facts["held_out"]["fitted"]:,} others.""",
        f"""EfficientNet-B0 {where}: {b0["accuracy"]:.2f}%
  at {b0["macs"] / 1e6:.0f} M MACs.
  Under ACC x (MACs/T)^-0.07, which ranks alike for any T, that is {rank} ({low} to {high} if
  the prediction is off by its error). Of the {near}, {b0["better_of_these"]} are more accurate, the best
  with {b0["best_of_these"]:.2f}%.""",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _taus(taus: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in taus.items())


def _ranked(found: Mapping[str, Mapping[str, float]]) -> str:
    return ", ".join(f"{one['tau']:.3f} ± {one['half']:.3f} from {count}" for count, one in found.items())


def marked(path: Path = RECORDS) -> str:
    """The marked part of the page, from the records."""
    said = read_facts(path)
    return "\n\n".join(part for part in (tables(read(path)), words(said) if said else "") if part)


def draw(path: Path = RECORDS) -> None:
    """Write the picture and the marked part of the page."""
    PICTURE.write_text(picture(read(path)), encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_tables(page, marked(path)), encoding="utf-8")


def with_tables(page: str, text: str) -> str:
    """The page with other text between its marks."""
    return re.sub(f"(?<={BEGIN}\n).*?(?={END})", lambda _: f"\n{text}\n\n", page, flags=re.DOTALL)
