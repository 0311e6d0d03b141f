"""What notebooks show: networks, costs, budgets, trials and studies as tables and images."""

from functools import singledispatch

from triscale.costs import Cost
from triscale.errors import TriscaleError
from triscale.report.notebook.cost_cell import budget_html, cost_html
from triscale.report.notebook.network_cell import network_html
from triscale.report.notebook.study_cell import study_html
from triscale.report.notebook.trial_cell import trial_html
from triscale.scaling import BudgetFit
from triscale.spec import Network
from triscale.trials import Trial

__all__ = ["html_of", "study_html"]


def html_of(value: object) -> str | None:
    """A value as HTML for a notebook; None where it cannot be drawn, and its text must do."""
    try:
        return _drawn(value)
    except TriscaleError:  # a network too large to be counted still has a text
        return None


@singledispatch
def _drawn(value: object) -> str | None:
    del value
    return None


@_drawn.register
def _(value: Network) -> str:
    return network_html(value)


@_drawn.register
def _(value: Cost) -> str:
    return cost_html(value)


@_drawn.register
def _(value: BudgetFit) -> str:
    return budget_html(value)


@_drawn.register
def _(value: Trial) -> str:
    return trial_html(value)
