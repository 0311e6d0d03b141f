"""The family that the coefficients give for larger phi, and its rivals at equal counted cost."""

import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

from triscale.costs import Target
from triscale.foreign import count_any
from triscale.scaling import Coefficients, Factors, factors
from triscale.search.coefficients.baselines import RIVALS, Baseline, baseline_of
from triscale.search.coefficients.candidates import Candidate, is_upsampled
from triscale.spec import AnyNetwork, content_hash
from triscale.trials.study_records import FactorsRecord, MemberRecord

NEAR = 0.03
"""A rival within 3% of the compound member's MACs counts as equal in cost."""


class Member(NamedTuple):
    """A network of the family; `cost_ratio` is its counted MACs over those of the compound member at the same phi."""

    rule: str
    phi: float
    network: AnyNetwork
    factors: Factors
    cost_ratio: float

    @property
    def id(self) -> str:
        """Content hash of the network."""
        return content_hash(self.network)

    def record(self, baseline_macs: int, native: tuple[int, int] | None) -> MemberRecord:
        """For the store; `native` is the size of the original images."""
        counts = count_any(self.network)
        return MemberRecord(
            rule=self.rule,
            phi=self.phi,
            id=self.id,
            factors=FactorsRecord(**self.factors._asdict()),
            cost=counts._asdict(),
            ratio=counts.macs / baseline_macs,
            cost_ratio=self.cost_ratio,
            within=abs(self.cost_ratio - 1) <= NEAR,
            upsampled=is_upsampled(self.network, native),
        )


def steps(phi: float) -> list[float]:
    """Whole phis below `phi` by at least a half, and `phi` itself; 1, which the search trains, also where near."""
    near = [1.0] if phi > 1 + 1e-9 else []
    return [*near, *(float(step) for step in range(2, math.floor(phi - 0.5 + 1e-9) + 1)), phi]


def family(
    baseline: AnyNetwork,
    coefficients: Coefficients,
    phi: float,
    limits: Mapping[str, float],
    target: Target,
    corners: Mapping[str, Candidate],
    chosen: Candidate,
) -> list[Member]:
    """The baseline, then for each phi the compound member and its rivals.

    At a whole phi the compound member is the network of the curve whose counted MACs are nearest to 2^phi times the
    baseline's; at phi = 1 these are the chosen candidate and the corners themselves. With `limits` the last one is the
    largest of the curve that keeps them all on `target`.
    """
    ground = baseline_of(baseline)
    members = [Member("baseline", 0.0, baseline, Factors(), 1.0)]
    curve = partial(factors, "compound", coefficients=coefficients)
    last = None
    if limits:
        phi, last = ground.largest(limits, coefficients, target)
    for step in steps(phi) if phi > 0 else [phi]:
        if step == phi and last is not None:
            where, network = last
        elif step == 1:
            members += _first(chosen, corners)
            continue
        else:
            where, network = ground.nearest(curve, 2**step * count_any(baseline).macs)
        members.append(Member("compound", step, network, where, 1.0))
        members += _rivals(ground, step, count_any(network).macs)
    return members


def _first(chosen: Candidate, corners: Mapping[str, Candidate]) -> Iterator[Member]:
    yield Member("compound", 1.0, chosen.network, chosen.factors, 1.0)
    for rule in RIVALS:
        if rule in corners:  # a foreign network may lack a dimension
            corner = corners[rule]
            yield Member(rule, 1.0, corner.network, corner.factors, corner.ratio / chosen.ratio)


def _rivals(ground: Baseline, phi: float, macs: int) -> Iterator[Member]:
    for rule in ground.rules:
        where, network = ground.nearest(partial(factors, rule), macs)
        yield Member(rule, phi, network, where, count_any(network).macs / macs)
