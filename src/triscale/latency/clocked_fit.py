"""`fit_budget` with a limit on latency: the answer is measured before it is given, and keeps the limit as measured."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from triscale.costs import Target
from triscale.latency.clocked_answer import ClockedFit, Latency
from triscale.latency.latency_metric import LATENCY
from triscale.latency.measuring import Limits, Measurement, Subject, Watch, measure
from triscale.latency.predictor import predict
from triscale.latency.within_limit import MOST_TRIES, Try, largest_within
from triscale.scaling import BudgetFit, Coefficients, fit_budget
from triscale.spec import Network, content_hash

SECONDS = 10.0
"""Of measuring a network."""


class Clock(NamedTuple):
    """Measures one network, on the clock where the machine is quiet, else by the processor's time of one thread."""

    target: Target
    watch: Watch
    seconds: float = SECONDS

    def measurement(self, network: Network, done: int = 0, most: int = 1) -> Measurement:
        """The network on the target, with random weights.

        Args:
            network: is measured.
            done, most: networks that were measured before it for the same answer, and with it at most; for the watch.

        Raises:
            InputError: the engine cannot run it.
        """
        watch = _OneOfSeveral(self.watch, done, most)
        return measure([network], [self.target], Limits(seconds=self.seconds), watch).measurements[0]


class _OneOfSeveral:
    """Another watch, which hears which one it is of the networks that are measured one after the other."""

    def __init__(self, watch: Watch, done: int, most: int) -> None:
        self._watch, self._done, self._most = watch, done, most
        self.round, self.notice = watch.round, watch.notice

    def opening(self, subject: Subject, done: int, whole: int) -> None:
        """Counted over all of them."""
        del done, whole
        self._watch.opening(subject, self._done, self._most)


def believed_ms(found: Measurement, *, clean: bool | None = None) -> float:
    """Milliseconds of a step: those of the clock, or of the processor where the machine was loaded.

    Args:
        found: what was measured.
        clean: whether the machine was quiet beside all that this is compared with; None: as it was beside this.
    """
    if (found.clean if clean is None else clean) or found.lowest_cpu_ms is None:
        return found.median_ms
    return min(found.lowest_cpu_ms, found.median_ms)


def fit_clocked(
    network: Network,
    limits: Mapping[str, float],
    *,
    clock: Clock,
    rule: str = "compound",
    coefficients: Coefficients | None = None,
    target: Target | None = None,
    filled: bool = False,
) -> ClockedFit:
    """As `triscale.scaling.fit_budget`, for limits of which one is `latency`, in seconds.

    Args:
        network, limits, rule, coefficients, filled: see there.
        clock: measures, on the engine's target.
        target: what the other limits are of; None: the clock's.

    Raises:
        UsageError, InputError: see there; the target is not calibrated; or no network keeps the limit as measured.
    """
    solver = _Solver(network, limits, rule, coefficients, target or clock.target, clock, filled=filled)
    best, tried = largest_within(limits[LATENCY.name], solver.solve, solver.measure, _key)
    values = {one.name: getattr(best.found, one.name) for one in fields(BudgetFit)}
    latency = Latency(
        target=str(clock.target), predicted=predict(best.found.network, clock.target), tried=len(tried),
        measured_ms=1e3 * best.measured, measurement=solver.measurements[best.key],
    )  # fmt: skip
    return ClockedFit(**values, latency=latency)


@dataclass(frozen=True, slots=True)
class _Solver:
    """The budget solver with the clock, for one budget; the arguments are those of `fit_clocked`."""

    network: Network
    limits: Mapping[str, float]
    rule: str
    coefficients: Coefficients | None
    target: Target
    clock: Clock
    filled: bool
    measurements: dict[str, Measurement] = field(default_factory=dict)

    def solve(self, seconds: float) -> BudgetFit:
        """The largest network that is predicted to take so long."""
        return fit_budget(
            self.network, {**self.limits, LATENCY.name: seconds},
            rule=self.rule, coefficients=self.coefficients, target=self.target, filled=self.filled,
        )  # fmt: skip

    def measure(self, found: BudgetFit) -> Try[BudgetFit]:
        """What was found, on the clock."""
        measurement = self.clock.measurement(found.network, len(self.measurements), MOST_TRIES)
        self.measurements[_key(found)] = measurement
        notch = found.fit.notch.cost or {}
        return Try(
            found=found, key=_key(found), predicted=found.fit.cost[LATENCY.name],
            measured=believed_ms(measurement) / 1e3, notch=notch.get(LATENCY.name, math.inf),
        )  # fmt: skip


def _key(found: BudgetFit) -> str:
    return content_hash(found.network)
