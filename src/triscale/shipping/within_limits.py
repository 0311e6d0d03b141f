"""The largest network within the limits, as counted, as measured, and as its file shows before any training."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from triscale.costs import Target, Values
from triscale.errors import InputError
from triscale.latency.any_budget import fit_any_budget
from triscale.latency.clocked_answer import ClockedFit, Latency
from triscale.latency.clocked_fit import Clock, believed_ms
from triscale.latency.latency_metric import LATENCY
from triscale.latency.measuring import Watch
from triscale.latency.predictor import predict
from triscale.scaling import PAPER, Coefficients, Factors, scale_by_rule
from triscale.scaling.limit import OutOfReachError, UnboundedError, limit_on
from triscale.shipping.baseline_choice import Baseline
from triscale.shipping.rehearsal import FILE_SIZE, Rehearsal, Rehearse
from triscale.spec import Network, Size
from triscale.units import pixels

FLAT = Coefficients(1.4, 1.19, 1.0)
"""The paper's alpha and beta, grown so that depth and width alone double the cost: 1.4 x 1.19^2 is 1.98."""

_TRIES = 4
"""Rehearsals until the file keeps what the network keeps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limited:
    """The largest network within the limits.

    Attributes:
        network: the answer.
        larger: by the same rule at twice the nominal cost; None where no limit binds, or there is none.
        rule, phi, factors, coefficients: how the baseline was scaled.
        uses: of each limited metric.
        binding: limits that the next larger network would break.
        latency: predicted and measured; None without a limit on it.
        reasons: why this rule, in sentences.
    """

    network: Network
    rule: str
    phi: float
    factors: Factors
    uses: Mapping[str, float]
    binding: tuple[str, ...]
    larger: Network | None = None
    coefficients: Coefficients | None = None
    latency: Latency | None = None
    reasons: tuple[str, ...] = ()


class Solver(NamedTuple):
    """Finds the largest network within limits.

    Attributes:
        baseline: what is scaled.
        native: of the originals; beyond it is upsampling.
        target: what the limits are of.
        watch: hears of measurements.
        rule: as asked; None: the usual one.
    """

    baseline: Baseline
    native: Size | None
    target: Target
    watch: Watch
    rule: str | None

    def within(self, limits: Mapping[str, float], rehearse: Rehearse) -> Limited:
        """The answer, whose file keeps the limits on its size and latency too.

        Raises:
            InputError: nothing keeps the limits.
        """
        allowed = dict(limits)
        for _ in range(_TRIES):
            found = self._solved(allowed, limits, rehearse)
            seen = rehearse(found.network, found.uses)
            found = replace(found, uses={**found.uses, **seen.uses})
            broken = [name for name, use in seen.uses.items() if use > limits[name]]
            if not broken:
                return replace(found, larger=self._larger(found))
            allowed |= {name: _tighter(name, limits, found, seen) for name in broken}
        raise InputError(
            f"no network was found whose file keeps {', '.join(broken)}: that of {found.network.name} takes more.\n"
            f"Give {' and '.join(limit_on(name, limits[name]).kept(name, seen.uses[name]) for name in broken)}."
        )

    def _solved(self, allowed: Mapping[str, float], limits: Mapping[str, float], rehearse: Rehearse) -> Limited:
        """Within limits that leave room for the file; where nothing keeps them, the message is about the user's own."""
        try:
            return self._solve(allowed)
        except OutOfReachError as error:
            least = self._least(error.cost, allowed, limits, rehearse)
            raise OutOfReachError(
                "the smallest network" if LATENCY.name in limits else "the file of the smallest network",
                least, {name: limit_on(name, value) for name, value in limits.items()},
            ) from None  # fmt: skip

    def _least(
        self, cost: Mapping[str, float], allowed: Mapping[str, float], limits: Mapping[str, float], rehearse: Rehearse
    ) -> Mapping[str, float]:
        """What the smallest network and its file use; by what the limits were tightened, where latency is measured."""
        if LATENCY.name in limits:
            return {name: cost[name] * limits[name] / allowed[name] for name in limits}
        found = self._solve({name: cost[name] for name in limits})
        return {**found.uses, **rehearse(found.network, found.uses).uses}

    def _solve(self, limits: Mapping[str, float]) -> Limited:
        if self.baseline.weights is not None:
            return self._by_resolution(limits)
        rule = self.rule or "compound"
        found = self._fitted(limits, rule, None)
        if self.rule is None and self._upsamples(found.network):
            reason = (
                f"The images have {pixels(self.native)}, and more pixels would be made up: depth and width take what "
                "the compound rule would spend on resolution."
            )
            return replace(self._fitted(limits, rule, FLAT), reasons=(reason,))
        return found

    def _upsamples(self, network: Network) -> bool:
        native = self.native or network.resolution
        return network.resolution[0] > native[0] or network.resolution[1] > native[1]

    def _fitted(self, limits: Mapping[str, float], rule: str, coefficients: Coefficients | None) -> Limited:
        found = fit_any_budget(
            self.baseline.network, limits, rule=rule, coefficients=coefficients, target=self.target, watch=self.watch
        )
        latency = found.latency if isinstance(found, ClockedFit) else None
        uses = {name: found.fit.cost[name] for name in limits}
        return Limited(
            network=found.network, rule=rule, phi=found.phi, factors=found.factors, binding=found.fit.binding,
            coefficients=coefficients or (PAPER if rule == "compound" else None), latency=latency,
            uses=uses if latency is None else {**uses, LATENCY.name: latency.measured_ms / 1e3},
        )  # fmt: skip

    def _by_resolution(self, limits: Mapping[str, float]) -> Limited:
        """Weights stay as they are; more pixels than their own, or than the originals have, are not taken."""
        own = self.baseline.network
        try:
            found = self._fitted(limits, "resolution", None)
        except UnboundedError:  # no limit depends on the resolution, and the weights keep them all
            return self._as_it_is(limits)
        if found.network.resolution > own.resolution:
            return self._as_it_is(limits)
        return replace(found, network=own) if found.network.resolution == own.resolution else found

    def _as_it_is(self, limits: Mapping[str, float]) -> Limited:
        own, names = self.baseline.network, [name for name in limits if name != LATENCY.name]
        uses, latency = Values(self.target).of(own, names), self._clocked(own) if LATENCY.name in limits else None
        if latency is not None:
            uses[LATENCY.name] = latency.measured_ms / 1e3
        return Limited(
            network=own, rule="resolution", phi=0.0, factors=Factors(), uses=uses, binding=(), latency=latency,
            reasons=("The weights keep every limit at their own resolution.",),
        )  # fmt: skip

    def _clocked(self, network: Network) -> Latency:
        target = self.target.engine or self.target
        measured = Clock(target, self.watch).measurement(network)
        return Latency(
            target=str(target), predicted=predict(network, target), measured_ms=believed_ms(measured),
            measurement=measured, tried=1,
        )  # fmt: skip

    def _larger(self, found: Limited) -> Network | None:
        """Twice the cost by the same rule."""
        if not found.binding:
            return None
        try:
            return scale_by_rule(self.baseline.network, found.rule, round(found.phi + 1, 4), found.coefficients)
        except InputError:
            return None


def _tighter(name: str, limits: Mapping[str, float], found: Limited, seen: Rehearsal) -> float:
    """The limit for the network that leaves room for what its file takes beyond it."""
    if name == FILE_SIZE:
        return max(1.0, limits[name] - (seen.uses[name] - seen.counted))
    assert found.latency is not None  # noqa: S101  `name` is latency
    return limits[name] * 1e-3 * found.latency.measured_ms / seen.uses[name]
