"""The look of all figures: pale greys, logarithmic axes that read 2 M, 5 M, 10 M, light and dark pages."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from triscale import units
from triscale.costs import unit_of

LIGHT = "rgba(128,128,128,0.6)"
GRID = "rgba(128,128,128,0.22)"
FRONT = "rgba(128,128,128,0.9)"
COSTS = {"macs": "MACs per image", "params": "parameters"}


def costs_beside(metric: str | None) -> dict[str, str]:
    """The two costs that accuracy is drawn against, with their titles: a metric of the study's own comes first."""
    return COSTS if metric is None else {metric: axis_title(metric), "macs": COSTS["macs"]}


def axis_title(metric: str) -> str:
    """What stands at the axis of a metric: its name, and its unit unless that is a count."""
    if metric in COSTS:
        return COSTS[metric]
    unit = unit_of(metric).name
    return metric.replace("_", " ") + ("" if unit == "count" else f", {unit}")


def log_axis(values: Sequence[float], title: str, names: bool = False) -> dict[str, object]:
    """A logarithmic axis whose ticks read 2 M, 5 M, 10 M; with room on the left where names stand beside points."""
    positive = [value for value in values if value > 0]
    if not positive:
        return {"title": title}
    low, high = math.log10(min(positive)), math.log10(max(positive))
    right = max(0.08, 0.1 * (high - low))
    left = max(0.15, 0.3 * (high - low)) if names else right
    steps = (1, 1.5, 2, 3, 4, 5, 7) if high - low < 1 else (1, 2, 5) if high - low < 2.5 else (1,)
    powers = range(math.floor(low - left), math.ceil(high + right) + 1)
    ticks = [step * 10.0**power for power in powers for step in steps]
    return {
        "title": f"{title} (log scale)",
        "type": "log",
        "range": [low - left, high + right],
        "tickvals": ticks,
        "ticktext": [units.trimmed(tick, 3) for tick in ticks],
    }


def epoch_axis(most: int) -> dict[str, object]:
    """An axis of epochs up to `most` with about ten ticks, at whole numbers alone."""
    power = 10 ** math.floor(math.log10(max(1, most / 10)))
    step = next(one * power for one in (1, 2, 5, 10) if most <= 10 * one * power)
    return {"title": "epochs", "tick0": 0, "dtick": step, "tickformat": "d"}


def styled(figure: go.Figure, height: int, *, left: int = 60, zero: bool = False, legend: float = -0.2) -> str:
    """Transparent, so that the page's light or dark scheme shows through; its style sheet colours the text.

    Args:
        figure: as it is drawn.
        height: pixels.
        left: pixels for the titles on the left.
        zero: whether a line marks 0 on the axis across.
        legend: where it begins below the axis, in heights of the figure.
    """
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": left, "r": 20, "t": 36, "b": 60},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13},
        legend={"orientation": "h", "y": legend, "yanchor": "top", "x": 0},
        hoverlabel={"align": "left", "bgcolor": "#2b3036", "bordercolor": "#2b3036"},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": LIGHT, "activecolor": FRONT},
    )
    axis = {"gridcolor": GRID, "linecolor": GRID, "zeroline": False, "showline": True, "title_standoff": 12}
    figure.update_xaxes({**axis, "zeroline": True, "zerolinecolor": FRONT} if zero else axis)
    figure.update_yaxes(axis)
    return str(figure.to_json())
