"""The course of a fit's trainings: validation accuracy after each epoch."""

import plotly.graph_objects as go

from triscale.report.fit_page.fit_facts import ANSWER, FitFacts
from triscale.report.parts.plot_style import FRONT, epoch_axis, styled

_COLOR = "#d55e00"


def curves(facts: FitFacts) -> str | None:
    """As JSON; None before anything was trained."""
    if not facts.trials:
        return None
    figure = go.Figure()
    for name, trial in facts.trials.items():
        color, dash = (_COLOR, "solid") if name == ANSWER else (FRONT, "dash")
        figure.add_trace(
            go.Scatter(
                x=[one.epoch for one in trial.history],
                y=[100 * one.validation_top1 for one in trial.history],
                mode="lines+markers",
                name=name,
                line={"color": color, "dash": dash},
                marker={"size": 5},
                hovertemplate=f"{name}, epoch %{{x}}<br>%{{y:.1f}} %<extra></extra>",
            )
        )
    figure.update_xaxes(epoch_axis(max(trial.epochs for trial in facts.trials.values())))
    figure.update_yaxes(title="validation top-1 (%)")
    return styled(figure, height=380)
