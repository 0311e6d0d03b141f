"""The largest network within limits, whether one of them is on latency or not."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from triscale.costs import Target
from triscale.latency.latency_metric import is_clocked
from triscale.latency.silent_watch import SilentWatch
from triscale.scaling import BudgetFit, Coefficients, fit_budget
from triscale.spec import Network

if TYPE_CHECKING:
    from triscale.latency.measuring import Watch


def fit_any_budget(
    network: Network,
    limits: Mapping[str, float],
    *,
    rule: str = "compound",
    coefficients: Coefficients | None = None,
    target: Target,
    filled: bool = False,
    watch: "Watch | None" = None,
) -> BudgetFit:
    """As `triscale.scaling.fit_budget`; with a limit on latency a `ClockedFit`, which was measured.

    Args:
        network, limits, rule, coefficients, filled: see there.
        target: what the limits are of; latency is of its `engine`, where there is one.
        watch: receives the progress of the measurement; None: no progress.

    Raises:
        UsageError, InputError: see there and `triscale.latency.clocked_fit.fit_clocked`.
    """
    if not is_clocked(limits):
        return fit_budget(network, limits, rule=rule, coefficients=coefficients, target=target, filled=filled)
    from triscale.latency.clocked_fit import Clock, fit_clocked  # noqa: PLC0415  loads NumPy

    clock = Clock(target.engine or target, watch or SilentWatch())
    return fit_clocked(network, limits, clock=clock, rule=rule, coefficients=coefficients, target=target, filled=filled)
