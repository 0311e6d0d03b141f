"""The figures of a search: accuracy against cost with the front, the best so far, and what each choice is worth."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import accumulate

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from triscale import units
from triscale.latency.cost_words import cost_name, cost_text
from triscale.report.parts.plot_style import COSTS, FRONT, LIGHT, axis_title, log_axis, styled
from triscale.report.search_page.effect_rows import EffectRow, strongest
from triscale.report.search_page.search_facts import VALIDATION, SearchFacts, Tried, finalist
from triscale.trials.searches.search_records import FinalistRecord

_BASELINE, _FOUND = ("#767676", "star"), ("#d55e00", "circle")
_CLEAR, _ROW = "#0072b2", 19


def front_figure(facts: SearchFacts) -> str | None:
    """Validation accuracy against two costs, the search's own first, as JSON; None before anything was trained."""
    if not facts.tried:
        return None
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.06)
    finalists = () if facts.found is None else facts.found.finalists
    for column, key in enumerate(costs_of_figure(facts), 1):
        for trace in (_pale(facts, key), _front(facts, key), *_last(facts, finalists, key)):
            trace.showlegend = column == 1
            figure.add_trace(trace, row=1, col=column)
        costs = [facts.cost(id_, key) for id_ in (*(one.id for one in facts.tried), *(one.id for one in finalists))]
        axis = log_axis([one for one in costs if one is not None], axis_title(key), names=True)
        figure.update_xaxes(axis, row=1, col=column)
    figure.update_yaxes(title="validation top-1 (%)", row=1, col=1)
    return styled(figure, height=470)


def costs_of_figure(facts: SearchFacts) -> tuple[str, ...]:
    """The two costs that accuracy is drawn against: those of the front, of the limits, and what everybody asks for."""
    return tuple(dict.fromkeys((*facts.axes, *facts.costs, *COSTS)))[:2]


def _pale(facts: SearchFacts, key: str) -> go.Scatter:
    tried = facts.tried
    return go.Scatter(
        x=[facts.cost(one.id, key) for one in tried],
        y=[100 * one.accuracy for one in tried],
        customdata=[_hover(facts, one) for one in tried],
        mode="markers",
        name="all trials",
        legendgroup="trials",
        marker={"color": LIGHT, "size": 7, "symbol": "circle-open"},
        hovertemplate="%{customdata}<br>%{y:.1f} %<extra></extra>",
    )


def _hover(facts: SearchFacts, one: Tried) -> str:
    score = "" if facts.measure != "reward" else f"<br>reward {one.score:.4f}"
    further = "".join(f", {cost_text(name, facts.cost(one.id, name))} {cost_name(name)}" for name in facts.further)
    return (
        f"<b>proposal {one.number}</b> {escape(one.name)}<br>{units.count(one.sizes.params)} params, "
        f"{units.count(one.sizes.macs)} MACs{further}, {one.sizes.blocks} blocks{score}"
    )


def _front(facts: SearchFacts, key: str) -> go.Scatter:
    """The searched front, each accuracy with its interval; a line joins it where its one cost is drawn."""
    front = facts.front
    ends = [facts.sampling(one.accuracy) for one in front]
    line = "lines+" if facts.axes == (key,) else ""
    return go.Scatter(
        x=[facts.cost(one.id, key) for one in front],
        y=[100 * one.accuracy for one in front],
        error_y={
            "symmetric": False,
            "array": [100 * (high - one.accuracy) for one, (_, high) in zip(front, ends, strict=True)],
            "arrayminus": [100 * (one.accuracy - low) for one, (low, _) in zip(front, ends, strict=True)],
            "thickness": 1,
            "width": 3,
        },
        text=[f"{one.number} " for one in front],
        mode=f"{line}markers+text",
        textposition="top left",
        textfont={"size": 10},
        name="front of the trials, with their numbers",
        legendgroup="front",
        marker={"color": FRONT, "size": 6},
        line={"color": FRONT, "width": 1.3, "dash": "dash"},
        hoverinfo="skip",
    )


def _last(facts: SearchFacts, finalists: Sequence[FinalistRecord], key: str) -> Iterable[go.Scatter]:
    """The networks that were trained to the end, with 95% intervals over seeds."""
    epochs = facts.record.final_epochs
    for group, (color, symbol) in (("baseline", _BASELINE), ("found", _FOUND)):
        own = [one for one in finalists if (one.rule == "baseline") == (group == "baseline")]
        if not own:
            continue
        margins = [facts.margin(VALIDATION, one.n) for one in own]
        yield go.Scatter(
            x=[facts.cost(one.id, key) for one in own],
            y=[100 * one.validation for one in own],
            error_y=_bars([margin for margin in margins if margin is not None]),
            customdata=[f"<b>{finalist(one)}</b><br>{units.counted(one.n, 'seed')}" for one in own],
            mode="markers",
            name=f"{'baseline' if group == 'baseline' else 'finalists'}, {epochs} epochs",
            legendgroup=group,
            marker={"color": color, "size": 11, "symbol": symbol},
            hovertemplate="%{customdata}<br>%{y:.1f} %<extra></extra>",
        )


def _bars(margins: Sequence[float]) -> dict[str, object] | None:
    return {"array": [100 * one for one in margins], "thickness": 1.2, "width": 4} if margins else None


def rise_figure(facts: SearchFacts) -> str | None:
    """The score of each trial and the best so far, by number, as JSON; None before two are trained."""
    tried = facts.tried
    if len(tried) < 2:
        return None
    unit = 1 if facts.measure == "reward" else 100
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=[one.number for one in tried],
            y=[unit * one.score for one in tried],
            customdata=[_hover(facts, one) for one in tried],
            mode="markers",
            name="each trial",
            marker={"color": LIGHT, "size": 7, "symbol": "circle-open"},
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[one.number for one in tried],
            y=list(accumulate((unit * one.score for one in tried), max)),
            mode="lines",
            name="the best so far",
            line={"color": _FOUND[0], "width": 2, "shape": "hv"},
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(title="proposal")
    figure.update_yaxes(title="reward" if unit == 1 else "validation top-1 (%)")
    return styled(figure, height=360)


def effects_figure(facts: SearchFacts) -> str | None:
    """What the strongest choices are worth, with 95% intervals, as JSON; None where that is not known."""
    effects = None if facts.found is None else facts.found.effects
    rows = [] if effects is None else strongest(effects)
    if not rows:
        return None
    figure = go.Figure()
    for clear, color, name in ((True, _CLEAR, "differs from 0"), (False, FRONT, "may be 0")):
        own = [one for one in rows if one.clear == clear]
        if own:
            figure.add_trace(_dots(own, color, name))
    figure.update_xaxes(title=f"points of {facts.measure} against the mean of the choice")
    figure.update_yaxes(categoryorder="array", categoryarray=[escape(one.label) for one in reversed(rows)])
    figure.update_yaxes(dtick=1, range=[-0.7, len(rows) - 0.3], tickfont={"size": 12})
    inner = _ROW * len(rows)
    return styled(figure, height=inner + 150, left=225, zero=True, legend=-70 / inner)


def _dots(rows: Sequence[EffectRow], color: str, name: str) -> go.Scatter:
    return go.Scatter(
        x=[100 * one.effect for one in rows],
        y=[escape(one.label) for one in rows],
        error_x={
            "symmetric": False,
            "array": [100 * (one.interval[1] - one.effect) for one in rows],
            "arrayminus": [100 * (one.effect - one.interval[0]) for one in rows],
            "thickness": 1.4,
            "width": 3,
        },
        customdata=[units.counted(one.n, "trial") for one in rows],
        mode="markers",
        name=name,
        marker={"color": color, "size": 8},
        hovertemplate="%{y}: %{x:+.2f}, %{customdata}<extra></extra>",
    )
