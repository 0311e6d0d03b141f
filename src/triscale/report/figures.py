"""The figures: accuracy against counted cost, and training curves, as Plotly documents."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from triscale import intervals, units
from triscale.report.pareto import pareto_front
from triscale.report.parts.plot_style import FRONT, LIGHT, costs_beside, epoch_axis, log_axis, styled
from triscale.report.study_facts import AXES, PASSES, Facts, Training, label
from triscale.trials.study_records import MemberRecord, NetworkRecord

# Okabe and Ito's palette and some of Tol's, distinct for colour-blind readers; the marker repeats the distinction.
RULES = {
    "baseline": ("#767676", "star"),
    "compound": ("#d55e00", "circle"),
    "depth": ("#0072b2", "triangle-up"),
    "width": ("#009e73", "square"),
    "resolution": ("#cc79a7", "diamond"),
    "paper": ("#e69f00", "circle-open"),
    "uniform": ("#56b4e9", "pentagon"),
    "fast_compound": ("#882255", "hexagon"),
    "resnet_rs_depth": ("#999933", "triangle-up-open"),
    "resnet_rs_width": ("#999933", "square-open"),
    "tinynet": ("#44aa99", "x"),
}
_DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True, slots=True)
class _Mark:
    """A network as a figure shows it: once, where it is a member by several rules."""

    network: NetworkRecord
    twins: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Plotly reads a little HTML in its texts, so names are escaped there too."""
        return escape(" = ".join([label(self.network), *self.twins]))


def accuracy_cost(facts: Facts) -> str | None:
    """Accuracy against MACs and against parameters with the Pareto front, as JSON; None before anything was trained."""
    light = [_Mark(one) for one in facts.candidates if facts.validation(one.id).n]
    tested = [one for one in _distinct(facts.members) if facts.test(one.network.id).n]
    if not light and not tested:
        return None
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.06)
    for column, (key, title) in enumerate(costs_beside(facts.own_cost).items(), 1):
        traces = [_light(facts, light, key), *_front(facts, tested, key), *_members(facts, tested, key)]
        for trace in traces:
            trace.showlegend = column == 1
            figure.add_trace(trace, row=1, col=column)
        figure.update_xaxes(
            log_axis([one.network.cost[key] for one in (*light, *tested)], title, names=True), row=1, col=column
        )
    figure.update_yaxes(title="top-1 accuracy (%)", row=1, col=1)
    return styled(figure, height=470)


def _light(facts: Facts, candidates: Sequence[_Mark], key: str) -> go.Scatter:
    """Validation accuracy of all candidates, pale: another set of images than the test."""
    values = [facts.validation(one.network.id) for one in candidates]
    return go.Scatter(
        x=[one.network.cost[key] for one in candidates],
        y=[100 * (value.mean or 0) for value in values],
        customdata=[_hover(facts, one, value.n, "validation") for one, value in zip(candidates, values, strict=True)],
        mode="markers",
        name="candidates (validation)",
        legendgroup="candidates",
        marker={"color": LIGHT, "size": 7, "symbol": "circle-open"},
        hovertemplate="%{customdata}<br>%{y:.1f} %<extra></extra>",
    )


def _members(facts: Facts, members: Sequence[_Mark], key: str) -> Iterable[go.Scatter]:
    """Test accuracy of the family, a colour and a marker for each rule."""
    noise = facts.noise
    for rule, (color, symbol) in RULES.items():
        group = [one for one in members if one.network.rule == rule]
        if not group:
            continue
        tests = [facts.test(one.network.id) for one in group]
        margins = [100 * intervals.seed_margin(noise, test.n) for test in tests] if noise else None
        yield go.Scatter(
            x=[one.network.cost[key] for one in group],
            y=[100 * (test.mean or 0) for test in tests],
            error_y={"array": margins, "thickness": 1.2, "width": 4} if margins else None,
            customdata=[_hover(facts, one, test.n, "test") for one, test in zip(group, tests, strict=True)],
            mode="markers",
            name=rule,
            legendgroup=rule,
            marker={"color": color, "size": 12 if symbol == "star" else 10, "symbol": symbol},
            hovertemplate="%{customdata}<br>%{y:.1f} %<extra></extra>",
        )


def _front(facts: Facts, members: Sequence[_Mark], key: str) -> Iterable[go.Scatter]:
    """The Pareto front of the test means; its names stand above left, where no other network can be."""
    points = [(one.network.cost[key], 100 * (facts.test(one.network.id).mean or 0)) for one in members]
    front = pareto_front(points)
    if not front:
        return
    yield go.Scatter(
        x=[points[index][0] for index in front],
        y=[points[index][1] for index in front],
        text=[f"{members[index].name} " for index in front],
        mode="lines+text",
        textposition="top left",
        name="Pareto front",
        legendgroup="front",
        line={"color": FRONT, "width": 1.3, "dash": "dash"},
        hoverinfo="skip",
    )


def curves(facts: Facts) -> str | None:
    """Validation accuracy against epochs and against training compute, as JSON; None before anything was trained."""
    if not facts.trainings:
        return None
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.06)
    spent: list[float] = []
    longest = 1
    for training, style in _styles(facts):
        network, points = facts.known(training.id), training.curve()
        if network is None or not points:
            continue
        compute = [samples * PASSES * network.cost["macs"] for _, samples, _ in points]
        spent += compute
        hover = f"{_Mark(network).name}, {training.epochs:g} epochs<br>%{{y:.1f}} %<extra></extra>"
        line = go.Scatter(y=[100 * top1 for _, _, top1 in points], mode="lines", hovertemplate=hover, **style)
        if training not in facts.longer:
            longest = max(longest, *(math.ceil(epoch) for epoch, _, _ in points))
            figure.add_trace(go.Scatter(line, x=[epoch for epoch, _, _ in points], showlegend=False), row=1, col=1)
        figure.add_trace(go.Scatter(line, x=compute), row=1, col=2)
    figure.update_xaxes(epoch_axis(longest), row=1, col=1)
    figure.update_xaxes(log_axis(spent, "training compute: samples × 3 × MACs"), row=1, col=2)
    figure.update_yaxes(title="validation top-1 (%)", row=1, col=1)
    return styled(figure, height=500)


def _styles(facts: Facts) -> Iterable[tuple[Training, dict[str, object]]]:
    """Trainings with the style of their lines; pale ones first, so that the family lies above them."""
    family = {member.id for member in facts.members}
    others = [one for one in facts.candidates if one.rule != "baseline" and one.id not in family]
    pale = {"name": "other candidates", "legendgroup": "candidates", "line": {"color": LIGHT, "width": 1}}
    for index, one in enumerate(other for other in others if other.id in facts.trainings):
        yield facts.trainings[one.id], {**pale, "showlegend": index == 0}
    phis = sorted({member.phi for member in facts.members if member.rule != "baseline"})
    for mark in _distinct(facts.members) or [_Mark(one) for one in facts.candidates if one.rule == "baseline"]:
        shown = mark.network
        if shown.id in facts.trainings:
            color, _ = RULES.get(shown.rule, (LIGHT, ""))
            step = phis.index(shown.phi) if isinstance(shown, MemberRecord) and shown.phi in phis else 0
            line = {"color": color, "width": 2, "dash": _DASHES[step % len(_DASHES)]}
            yield facts.trainings[shown.id], {"name": mark.name, "line": line}
    for training in facts.longer:
        line = {"color": RULES["baseline"][0], "width": 1.5, "dash": "dot"}
        yield training, {"name": f"baseline, {training.epochs:g} epochs", "line": line}


def _distinct(members: Sequence[MemberRecord]) -> list[_Mark]:
    """Each network once: a compound member that is also a rival's network (a corner was chosen) is drawn as one."""
    groups: dict[str, list[MemberRecord]] = {}
    for member in members:
        groups.setdefault(member.id, []).append(member)
    return [_Mark(first, tuple(twin.rule for twin in twins)) for first, *twins in groups.values()]


def _hover(facts: Facts, mark: _Mark, seeds: int, what: str) -> str:
    one, network = mark.network, facts.network(mark.network.id)
    factors, cost = ", ".join(f"{axis} {getattr(one.factors, axis):.2f}" for axis in AXES), one.cost
    return (
        f"<b>{mark.name}</b> {escape(network.name)}<br>{factors}<br>"
        f"{units.pixels(network.resolution)}, {units.count(cost['params'])} params, "
        f"{units.count(cost['macs'])} MACs<br>{what}, {seeds} seed{'' if seeds == 1 else 's'}"
    )
