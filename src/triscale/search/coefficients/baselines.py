"""What a study does with its baseline, one of ours or a foreign one; the one place that chooses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Protocol

from triscale.costs import Target
from triscale.errors import InputError
from triscale.foreign import Dimensions, count, dimensions, metrics_any
from triscale.scaling import PAPER, Coefficients, Factors, factors, fit, fit_budget, scale_shortly
from triscale.scaling.limit import limit_on
from triscale.search.coefficients import points
from triscale.search.coefficients.candidates import TRANSFERRED, Candidate, candidates, rule_of, transferred
from triscale.search.coefficients.equal_cost import MACS, EqualCost
from triscale.search.coefficients.lattice import design
from triscale.search.coefficients.points import Point
from triscale.search.coefficients.pool import nearest_on_curve, pool
from triscale.search.coefficients.rounding_cell import cell_of
from triscale.search.coefficients.shares import shares
from triscale.spec import AnyNetwork, ForeignNetwork, Network, Size

Curve = Callable[[float], Factors]
Place = tuple[Factors, AnyNetwork]
"""A network, and its factors over the baseline."""

RIVALS = ("depth", "width", "resolution")
"""All that can be scaled."""


class Baseline(Protocol):
    """A baseline that can be scaled.

    Attributes:
        network: itself, nothing left open.
        cost: what networks cost alike.
        rules: the dimensions that are scaled, each alone a rival of the compound.
        remark: what a person should know of these; empty: nothing.
    """

    @property
    def network(self) -> AnyNetwork:
        """See above."""

    @property
    def cost(self) -> EqualCost:
        """See above."""

    @property
    def rules(self) -> tuple[str, ...]:
        """See above."""

    @property
    def remark(self) -> str:
        """See above."""

    def itself(self) -> Candidate:
        """The baseline as it stands in the plan."""

    def candidates(self, target: float, tolerance: float, most: int, largest: Size | None = None) -> list[Candidate]:
        """Networks of `target` times the cost: those of the lattice, then the farthest from one another."""

    def distinct(self, target: float, tolerance: float, largest: Size | None = None) -> int:
        """How many networks of `target` times the cost there are to choose candidates from."""

    def transferred(self, coefficients: Coefficients, target: float, tolerance: float) -> Candidate:
        """The network of `target` times the cost on the curve of coefficients that were found elsewhere."""

    def nearest(self, curve: Curve, wanted: float) -> Place:
        """The network on a curve (phi -> factors) whose cost is nearest to the wanted one by ratio."""

    def largest(self, limits: Mapping[str, float], coefficients: Coefficients, target: Target) -> tuple[float, Place]:
        """The phi of the largest network of the compound curve that keeps all limits, and that network.

        A limit on latency is held against predictions.
        """

    def expected(self, chosen: Candidate, at_phi: float) -> Coefficients:
        """Coefficients that stand in for those of a study, with a candidate as its choice."""


@dataclass(frozen=True)
class OwnBaseline:
    """A network of triscale: it is rounded by its spec, so each candidate stands for a cell of factors."""

    network: Network
    cost: EqualCost = MACS
    rules = RIVALS
    remark = ""

    def itself(self) -> Candidate:
        """See `Baseline`."""
        cell = cell_of(self.network, self.network, Factors())
        return Candidate(self.network, "baseline", Factors(), cell, 1.0, within=False)

    def candidates(self, target: float, tolerance: float, most: int, largest: Size | None = None) -> list[Candidate]:
        """See `Baseline`."""
        return candidates(self.network, target=target, tolerance=tolerance, most=most, largest=largest, cost=self.cost)

    def distinct(self, target: float, tolerance: float, largest: Size | None = None) -> int:
        """See `Baseline`."""
        return len(pool(self.network, target, tolerance, largest, self.cost))

    def transferred(self, coefficients: Coefficients, target: float, tolerance: float) -> Candidate:
        """See `Baseline`."""
        return transferred(self.network, coefficients, target, tolerance, self.cost)

    def nearest(self, curve: Curve, wanted: float) -> Place:
        """See `Baseline`."""
        where, _ = nearest_on_curve(self.network, curve, wanted, self.cost)
        return where, scale_shortly(self.network, where)

    def largest(self, limits: Mapping[str, float], coefficients: Coefficients, target: Target) -> tuple[float, Place]:
        """See `Baseline`."""
        found = fit_budget(self.network, limits, coefficients=coefficients, target=target)
        return found.phi, (found.factors, found.network)

    def expected(self, chosen: Candidate, at_phi: float) -> Coefficients:
        """See `Baseline`."""
        return coefficients_of(chosen.factors, at_phi) if chosen.rule == "grid" else PAPER


@dataclass(frozen=True)
class ForeignBaseline:
    """A network of other people's code, which is built and counted at each point: nothing is known of its rounding."""

    network: ForeignNetwork
    cost = MACS

    @cached_property
    def scaled(self) -> Dimensions:
        """What can be scaled; two dimensions at least, else InputError."""
        return dimensions(self.network)

    @property
    def rules(self) -> tuple[str, ...]:
        """See `Baseline`."""
        return self.scaled.scaled

    @property
    def remark(self) -> str:
        """Which dimensions are scaled, and why the others are not."""
        return f"{self.network.path} is scaled in {self.scaled}"

    def itself(self) -> Candidate:
        """See `Baseline`."""
        return Candidate(self.network, "baseline", Factors(), None, 1.0, within=False)

    def candidates(self, target: float, tolerance: float, most: int, largest: Size | None = None) -> list[Candidate]:
        """See `Baseline`."""
        found = points.proposals(self.network, self.scaled, target=target, tolerance=tolerance, largest=largest)
        shares_of = cache(partial(shares, self._macs))
        picked = design(found, lambda one: shares_of(one.factors), lambda one: one.is_within(target, tolerance), most)
        return [
            Candidate(
                one.network, one.rule, one.factors, None, one.ratio, one.is_within(target, tolerance), one.merged,
                shares_of(one.factors), point,
            )
            for one, point in picked
        ]  # fmt: skip

    def distinct(self, target: float, tolerance: float, largest: Size | None = None) -> int:
        """See `Baseline`."""
        found = points.proposals(self.network, self.scaled, target=target, tolerance=tolerance, largest=largest)
        return sum(one.is_within(target, tolerance) for one in found)

    def transferred(self, coefficients: Coefficients, target: float, tolerance: float) -> Candidate:
        """See `Baseline`.

        Raises:
            InputError: the coefficients scale nothing that it has.
        """
        moved = self._moved(coefficients)
        if max(moved) == 1:
            raise InputError(
                f"the coefficients to transfer scale nothing of {self.network.path}, scaled in {self.scaled}.\n"
                "Leave --transfer out."
            )
        one = points.nearest(self.network, "grid", partial(factors, "compound", coefficients=moved), target)
        place = shares(self._macs, one.factors)
        return Candidate(
            one.network, rule_of(place), one.factors, None, one.ratio, one.is_within(target, tolerance), 1, place,
            TRANSFERRED,
        )  # fmt: skip

    def _macs(self, at: Factors) -> int:
        return count(points.point(self.network, "grid", at).network).macs

    def nearest(self, curve: Curve, wanted: float) -> Place:
        """See `Baseline`."""
        return _place(points.nearest(self.network, "curve", curve, wanted / count(self.network).macs))

    def largest(self, limits: Mapping[str, float], coefficients: Coefficients, target: Target) -> tuple[float, Place]:
        """See `Baseline`.

        Raises:
            UsageError: a limit on what is not counted of foreign code.
            InputError: the limits cannot be reached.
        """
        at = partial(points.point, self.network, "compound")
        bounds = {name: limit_on(name, value) for name, value in limits.items()}
        moved = self._moved(coefficients)
        found = fit(
            partial(factors, "compound", coefficients=moved),
            lambda where: metrics_any(at(where).network, limits, target),
            bounds,
        )
        return found.phi, _place(at(found.factors))

    def _moved(self, coefficients: Coefficients) -> Coefficients:
        """Without what stays."""
        return Coefficients(
            *(one if name in self.rules else 1.0 for name, one in zip(RIVALS, coefficients, strict=True))
        )

    def expected(self, chosen: Candidate, at_phi: float) -> Coefficients:
        """See `Baseline`; the paper's would move what stays."""
        return coefficients_of(chosen.factors, at_phi)


def baseline_of(network: AnyNetwork, cost: EqualCost = MACS) -> Baseline:
    """What can be done with a baseline; a foreign one's path is imported once it is used.

    Raises:
        UsageError: a foreign network at anything but equal MACs.
    """
    cost.refuse_foreign(network)
    return ForeignBaseline(network) if isinstance(network, ForeignNetwork) else OwnBaseline(network, cost)


def coefficients_of(chosen: Factors, at_phi: float) -> Coefficients:
    """alpha, beta and gamma of the curve that leads through a network of these factors at `at_phi`."""
    return Coefficients(*(factor ** (1 / at_phi) for factor in chosen))


def _place(point: Point) -> Place:
    return point.factors, point.network
