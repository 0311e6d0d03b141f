"""The family that the coefficients give for larger phi, and its rivals at equal counted cost."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from triscale.costs import Target
from triscale.scaling import Coefficients, Factors, factors
from triscale.search.coefficients.baselines import Baseline, baseline_of
from triscale.search.coefficients.candidates import Candidate, is_upsampled
from triscale.search.coefficients.equal_cost import MACS, EqualCost
from triscale.search.coefficients.rivals import PAPERS, Rival
from triscale.spec import AnyNetwork, content_hash
from triscale.trials.study_records import FactorsRecord, MemberRecord

NEAR = 0.03
"""A rival within 3% of the compound member's cost counts as equal."""


Largest = tuple[float, tuple[Factors, AnyNetwork]]
"""Phi, factors and network."""


class Member(NamedTuple):
    """A network of the family; `cost_ratio` is its cost over that of the compound member at the same phi."""

    rule: str
    phi: float
    network: AnyNetwork
    factors: Factors
    cost_ratio: float

    @property
    def id(self) -> str:
        """Content hash of the network."""
        return content_hash(self.network)

    def record(self, baseline: AnyNetwork, native: tuple[int, int] | None, cost: EqualCost = MACS) -> MemberRecord:
        """For the store; `native` is the size of the original images."""
        return MemberRecord(
            rule=self.rule,
            phi=self.phi,
            id=self.id,
            factors=FactorsRecord(**self.factors._asdict()),
            cost=cost.all_of(self.network),
            ratio=cost(self.network) / cost(baseline),
            cost_ratio=self.cost_ratio,
            within=abs(self.cost_ratio - 1) <= NEAR,
            upsampled=is_upsampled(self.network, native),
        )


def steps(phi: float, at_phi: float = 1.0) -> list[float]:
    """Whole phis below `phi` by at least a half, and `phi` itself; `at_phi`, which is searched, also where near."""
    whole = {float(step) for step in range(1, math.floor(phi - 0.5 + 1e-9) + 1)}
    return sorted({phi, *whole, *([at_phi] if at_phi < phi - 1e-9 else [])})


def family(
    baseline: AnyNetwork,
    coefficients: Coefficients,
    phi: float,
    limits: Mapping[str, float],
    target: Target,
    corners: Mapping[str, Candidate],
    chosen: Candidate,
    rivals: Sequence[Rival],
    *,
    at_phi: float = 1.0,
    cost: EqualCost = MACS,
    largest: Largest | None = None,
) -> list[Member]:
    """The baseline, then for each phi the compound member and its rivals.

    At a whole phi the compound member is the network of the curve whose cost is nearest to 2^phi times the
    baseline's; at `at_phi` these are the chosen candidate and, of the rivals, the `corners` themselves. With `limits`
    the last one is the largest of the curve that keeps them all on `target`; `largest` is it where it was measured. A
    rival is the network of its rule nearest to the cost of the compound member; one that moves what the baseline does
    not have is left out, as is the paper's where it is the compound member itself.
    """
    ground = baseline_of(baseline, cost)
    members = [Member("baseline", 0.0, baseline, Factors(), 1.0)]
    curve = partial(factors, "compound", coefficients=coefficients)
    last = None
    if limits:
        phi, last = largest or ground.largest(limits, coefficients, target)
    for step in steps(phi, at_phi) if phi > 0 else [phi]:
        if step == phi and last is not None:
            where, network = last
        elif step == at_phi:
            members += _searched(ground, step, chosen, corners, rivals)
            continue
        else:
            where, network = ground.nearest(curve, 2**step * cost(baseline))
        compound = Member("compound", step, network, where, 1.0)
        members += [compound, *_rivals(ground, compound, rivals)]
    return members


def _searched(
    ground: Baseline, phi: float, chosen: Candidate, corners: Mapping[str, Candidate], rivals: Sequence[Rival]
) -> Iterator[Member]:
    compound = Member("compound", phi, chosen.network, chosen.factors, 1.0)
    yield compound
    for rival in rivals:
        if rival.rule in corners:
            corner = corners[rival.rule]
            yield Member(rival.rule, phi, corner.network, corner.factors, corner.ratio / chosen.ratio)
        else:
            yield from _rivals(ground, compound, [rival])


def _rivals(ground: Baseline, compound: Member, rivals: Sequence[Rival]) -> Iterator[Member]:
    wanted = ground.cost(compound.network)
    for rival in rivals:
        if not rival.moves <= set(ground.rules) or (rival.shrinks and compound.phi > 0):
            continue
        where, network = ground.nearest(rival.curve, wanted)
        if rival.rule != PAPERS or content_hash(network) != compound.id:
            yield Member(rival.rule, compound.phi, network, where, ground.cost(network) / wanted)
