"""Candidates: networks of one counted cost, spread over the scaling triangle.

Each network stands for the *cell* of triples that round to it, and its triple is the centre of that cell (clipped to
factors of at least 1, as in paper section 3.3).
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import islice
from typing import NamedTuple

import msgspec

from triscale import units
from triscale.errors import InputError
from triscale.scaling import Coefficients, Factors, factors, scale_shortly
from triscale.search.coefficients.equal_cost import MACS, EqualCost
from triscale.search.coefficients.lattice import design
from triscale.search.coefficients.pool import Proposal, nearest_on_curve, pool
from triscale.search.coefficients.rounding_cell import GridCell, cell_of
from triscale.search.coefficients.shares import DIMENSIONS, Shares, shares
from triscale.spec import AnyNetwork, Network, Size, content_hash, scale
from triscale.trials.study_records import CandidateRecord, CellRecord, FactorsRecord
from triscale.trials.surface_records import SharesRecord
from triscale.trials.triangle_words import times

TARGET = 2.0
"""Counted cost of a candidate over the baseline's: phi = 1."""

TRANSFERRED = "transferred"

FEWEST = 4
"""Distinct networks below which a baseline has no triangle."""

_ALONE = 1 - 1e-9
_WIDER = (0.15, 0.2, 0.3, 0.5)
"""Tolerances that a message may propose."""


class Candidate(NamedTuple):
    """A network to try, with the triple and the cell it stands for.

    Attributes:
        rule: `baseline`, `grid`, or the one dimension that it scales: `depth`, `width`, `resolution`.
        cell: of triples that round to it; None for a foreign network.
        ratio: cost over the baseline's.
        within: whether it costs what it should, inside the tolerance.
        merged: grid points that turned out to be this network.
        shares: where it lies on the triangle; None for the baseline.
        lattice: the point of the lattice that it stands for; `transferred`: coefficients found at another cost.
    """

    network: AnyNetwork
    rule: str
    factors: Factors
    cell: GridCell | None
    ratio: float
    within: bool
    merged: int = 1
    shares: Shares | None = None
    lattice: str | None = None

    @property
    def id(self) -> str:
        """Content hash of the network."""
        return content_hash(self.network)

    def record(self, native: Size | None, cost: EqualCost = MACS) -> CandidateRecord:
        """For the store; `native` is the size of the original images."""
        return CandidateRecord(
            id=self.id,
            rule=self.rule,
            factors=FactorsRecord(**self.factors._asdict()),
            cell=None if self.cell is None else CellRecord(**self.cell._asdict()),
            merged=self.merged,
            cost=cost.all_of(self.network),
            ratio=self.ratio,
            within=self.within,
            upsampled=is_upsampled(self.network, native),
            shares=None if self.shares is None else SharesRecord(**self.shares._asdict()),
            lattice=self.lattice,
            resampled=native is not None and self.network.resolution != native,
        )


def is_upsampled(network: AnyNetwork, native: Size | None) -> bool:
    """Whether the network wants more pixels than the original images have."""
    return native is not None and (network.resolution[0] > native[0] or network.resolution[1] > native[1])


def candidates(
    baseline: Network, *,
    target: float = TARGET, tolerance: float = 0.1, most: int = 10, largest: Size | None = None,
    cost: EqualCost = MACS,
) -> list[Candidate]:  # fmt: skip
    """Up to `most` networks whose cost is `target` times the baseline's within `tolerance`.

    First those that stand for the points of the lattice, in its order, then those that lie farthest from one another. A
    corner is the network of one scaled dimension, also where rounding keeps it outside the tolerance and no other is
    near (`within` is then False).

    Args:
        baseline: to scale.
        target: cost over the baseline's.
        tolerance: of that.
        most: networks in all.
        largest: height and width beyond which no network goes, the size of the originals; None: any.
        cost: counted MACs, or another metric.

    Raises:
        InputError: fewer than four distinct networks lie within the tolerance.
    """
    found = {content_hash(one.network): one for one in pool(baseline, target, tolerance, largest, cost)}
    if len(found) < FEWEST:
        raise InputError(_too_coarse(baseline, target, tolerance, largest, cost, len(found)))
    for one in _corners(baseline, target, largest, cost):
        found.setdefault(content_hash(one.network), one)
    shares_of = cache(partial(shares, cache(partial(_cost_at, baseline, cost))))
    picked = design(
        list(found.values()), lambda one: shares_of(one.inside), lambda one: abs(one.ratio - target) <= tolerance, most
    )
    return [_candidate(baseline, one, target, tolerance, shares_of(one.inside), point, cost) for one, point in picked]


def transferred(
    baseline: Network, coefficients: Coefficients, target: float, tolerance: float, cost: EqualCost = MACS
) -> Candidate:
    """The network of `target` times the baseline's cost on the curve of coefficients that were found elsewhere."""
    curve = partial(factors, "compound", coefficients=coefficients)
    inside, network = nearest_on_curve(baseline, curve, target * cost(baseline), cost)
    place = shares(partial(_cost_at, baseline, cost), inside)
    return _candidate(baseline, Proposal(network, inside, 1.0), target, tolerance, place, TRANSFERRED, cost)


def with_transferred(every: Sequence[Candidate], one: Candidate) -> list[Candidate]:
    """The candidates and that network, which the first round trains as it does those of the lattice."""
    if one.id not in {other.id for other in every}:
        return [*every, one]
    return [
        other._replace(lattice=TRANSFERRED) if other.id == one.id and other.lattice is None else other
        for other in every
    ]


def rule_of(place: Shares) -> str:
    """The one dimension that all of the cost went to, else `grid`."""
    return next((name for name in DIMENSIONS if getattr(place, name) >= _ALONE), "grid")


def corners(every: Iterable[Candidate]) -> dict[str, Candidate]:
    """By dimension the candidate that stands for it alone: the first that scales nothing else, that of the lattice."""
    return {one.rule: one for one in reversed(list(every)) if one.rule in DIMENSIONS}


def _cost_at(baseline: Network, cost: EqualCost, at: Factors) -> float:
    return cost(scale(baseline, **at._asdict()))


def _corners(baseline: Network, target: float, largest: Size | None, cost: EqualCost) -> Iterator[Proposal]:
    base = cost(baseline)
    for rule in DIMENSIONS:
        inside, network = nearest_on_curve(baseline, partial(factors, rule), target * base, cost)
        if largest is None or not is_upsampled(network, largest) or network.resolution == baseline.resolution:
            yield Proposal(network, inside, cost(network) / base)


def _candidate(
    baseline: Network, one: Proposal, target: float, tolerance: float, place: Shares, point: str | None, cost: EqualCost
) -> Candidate:
    cell = cell_of(baseline, one.network, one.inside)
    centre = cell.centre()
    network = scale_shortly(baseline, centre)
    ratio = cost(network) / cost(baseline)
    within = abs(ratio - target) <= tolerance
    return Candidate(network, rule_of(place), centre, cell, ratio, within, 1, place, point)


def _too_coarse(
    baseline: Network, target: float, tolerance: float, largest: Size | None, cost: EqualCost, n: int
) -> str:
    """What the baseline lacks, and what would give more."""
    wider = (t for t in _WIDER if t > tolerance and len(pool(baseline, target, t, largest, cost)) >= FEWEST)
    remedies = [f"--tolerance {t:g}" for t in islice(wider, 1)]
    if largest is not None and len(pool(baseline, target, tolerance, cost=cost)) >= FEWEST:
        remedies.append("--enlarge")
    beyond = "" if largest is None else f" of at most {largest[0]}x{largest[1]} px, the size of the originals,"
    return (
        f"{baseline.name} rounds too coarsely: {units.agreeing(n, 'distinct network', 'distinct networks')}{beyond} "
        f"at {times(target)} its cost within {tolerance:g}; a study needs {FEWEST}.\nUse a baseline with a smaller "
        f"channel divisor (it has {baseline.channel_divisor}) or more repeats a stage, such as the finenet ones"
        f"{''.join(f', or {one}' for one in remedies)}."
    )


def recorded(record: CandidateRecord, network: AnyNetwork) -> Candidate:
    """The candidate of a record, with the network that it names."""
    cell = None if record.cell is None else GridCell(**msgspec.structs.asdict(record.cell))
    place = None if record.shares is None else Shares(**msgspec.structs.asdict(record.shares))
    return Candidate(
        network, record.rule,
        Factors(**msgspec.structs.asdict(record.factors)), cell,
        record.ratio, record.within, record.merged, place, record.lattice,
    )  # fmt: skip
