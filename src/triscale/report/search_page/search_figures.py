"""The figures of a search: accuracy against cost with the front, the best so far, and what each choice is worth."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import accumulate

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from triscale import units
from triscale.report.pareto import pareto_front
from triscale.report.parts.plot_style import COSTS, FRONT, LIGHT, log_axis, styled
from triscale.report.search_page.effect_rows import EffectRow, strongest
from triscale.report.search_page.search_facts import VALIDATION, SearchFacts, Tried, finalist
from triscale.trials.searches.search_records import FinalistRecord

_BASELINE, _FOUND = ("#767676", "star"), ("#d55e00", "circle")
_CLEAR, _ROW = "#0072b2", 19


def front_figure(facts: SearchFacts) -> str | None:
    """Validation accuracy against MACs and against params, as JSON; None before anything was trained."""
    if not facts.tried:
        return None
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.06)
    finalists = () if facts.found is None else facts.found.finalists
    for column, (key, title) in enumerate(COSTS.items(), 1):
        for trace in (_pale(facts.tried, key, facts.measure), _front(facts.tried, key), *_last(facts, finalists, key)):
            trace.showlegend = column == 1
            figure.add_trace(trace, row=1, col=column)
        costs = [getattr(one.sizes, key) for one in facts.tried]
        costs += [getattr(facts.sizes[one.id], key) for one in finalists]
        figure.update_xaxes(log_axis(costs, title, names=True), row=1, col=column)
    figure.update_yaxes(title="validation top-1 (%)", row=1, col=1)
    return styled(figure, height=470)


def _pale(tried: Sequence[Tried], key: str, measure: str) -> go.Scatter:
    return go.Scatter(
        x=[getattr(one.sizes, key) for one in tried],
        y=[100 * one.accuracy for one in tried],
        customdata=[_hover(one, measure) for one in tried],
        mode="markers",
        name="all trials",
        legendgroup="trials",
        marker={"color": LIGHT, "size": 7, "symbol": "circle-open"},
        hovertemplate="%{customdata}<br>%{y:.1f} %<extra></extra>",
    )


def _hover(one: Tried, measure: str) -> str:
    score = "" if measure != "reward" else f"<br>reward {one.score:.4f}"
    return (
        f"<b>proposal {one.number}</b> {escape(one.name)}<br>{units.count(one.sizes.params)} params, "
        f"{units.count(one.sizes.macs)} MACs, {one.sizes.blocks} blocks{score}"
    )


def _front(tried: Sequence[Tried], key: str) -> go.Scatter:
    points = [(getattr(one.sizes, key), 100 * one.accuracy) for one in tried]
    front = pareto_front(points)
    return go.Scatter(
        x=[points[at][0] for at in front],
        y=[points[at][1] for at in front],
        text=[f"{tried[at].number} " for at in front],
        mode="lines+markers+text",
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
            x=[getattr(facts.sizes[one.id], key) for one in own],
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
            customdata=[_hover(one, facts.measure) for one in tried],
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
