"""Candidates for alpha, beta and gamma: distinct networks whose counted cost is twice the baseline's.

A plain grid of triples mostly rounds to the same few networks. So the grid runs over what rounding can tell apart,
repeats and sides, and the width is solved for the counted cost. Each network stands for the *cell* of triples that
round to it, and its triple is the centre of that cell (clipped to factors of at least 1, as in paper section 3.3).
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import msgspec

from triscale.costs import count
from triscale.errors import InputError
from triscale.foreign import count_any
from triscale.scaling import Factors, factors, scale_shortly
from triscale.spec import AnyNetwork, Network, content_hash, scale
from triscale.trials.study_records import CandidateRecord, CellRecord, FactorsRecord

TARGET = 2.0
"""Counted cost of a candidate over the baseline's: phi = 1."""

_NEAR = 1e-9
_SMALLEST_PHI = -64.0
Interval = tuple[float, float]


class GridCell(NamedTuple):
    """Per factor, the interval of values that round to one network."""

    depth: Interval
    width: Interval
    resolution: Interval

    def centre(self) -> Factors:
        """The middle of each interval above 1; exactly 1 where the interval holds 1."""
        return Factors(*(_centre(interval) for interval in (self.depth, self.width, self.resolution)))


class Candidate(NamedTuple):
    """A network to try, with the triple and the cell it stands for.

    Attributes:
        rule: `baseline`, `grid`, or the corner it is: `depth`, `width`, `resolution`.
        cell: of triples that round to it; None for a foreign network.
        ratio: counted MACs over the baseline's.
        within: |ratio - 2| is inside the tolerance.
        merged: grid points (repeats, side, width) that rounded to this network.
    """

    network: AnyNetwork
    rule: str
    factors: Factors
    cell: GridCell | None
    ratio: float
    within: bool
    merged: int = 1

    @property
    def id(self) -> str:
        """Content hash of the network."""
        return content_hash(self.network)

    def record(self, native: tuple[int, int] | None) -> CandidateRecord:
        """For the store; `native` is the size of the original images."""
        return CandidateRecord(
            id=self.id,
            rule=self.rule,
            factors=FactorsRecord(**self.factors._asdict()),
            cell=None if self.cell is None else CellRecord(**self.cell._asdict()),
            merged=self.merged,
            cost=count_any(self.network)._asdict(),
            ratio=self.ratio,
            within=self.within,
            upsampled=is_upsampled(self.network, native),
        )


def is_upsampled(network: AnyNetwork, native: tuple[int, int] | None) -> bool:
    """Whether the network wants more pixels than the original pictures have."""
    return native is not None and (network.resolution[0] > native[0] or network.resolution[1] > native[1])


def candidates(baseline: Network, *, tolerance: float = 0.1, most: int = 10) -> list[Candidate]:
    """The corners and up to `most` networks in all whose counted cost is 2x the baseline's within `tolerance`.

    The corners (depth-, width- and resolution-only) are always part, also where rounding keeps them outside the
    tolerance (`within` is then False). Where more networks exist than `most`, those farthest from one another are kept,
    measured in the exponents of cost (log2 depth, 2 log2 width, 2 log2 resolution).

    Raises:
        InputError: no network at all lies within the tolerance.
    """
    corners = [_corner(baseline, rule) for rule in ("depth", "width", "resolution")]
    found = {content_hash(corner.network): corner for corner in reversed(corners)}
    chosen = list({content_hash(corner.network): corner for corner in corners}.values())
    for proposal in _grid(baseline, tolerance):
        key = content_hash(proposal.network)
        known = found.get(key)
        found[key] = proposal if known is None else known._replace(merged=known.merged + 1)
    chosen = [found[content_hash(corner.network)] for corner in chosen]
    picked = [_candidate(baseline, one, tolerance) for one in _spread(chosen, list(found.values()), most)]
    if not any(candidate.within for candidate in picked):
        raise InputError(
            f"no network within {tolerance:g} of twice the cost of {baseline.name} exists: it rounds too coarsely.\n"
            "Use a baseline with a smaller channel divisor or more repeats, or a larger --tolerance."
        )
    return picked


def nearest_on_curve(baseline: Network, curve: Callable[[float], Factors], macs: float) -> tuple[Factors, Network]:
    """The network on a curve (phi -> factors, cost growing) whose counted MACs are nearest to `macs` by ratio."""

    def macs_at(phi: float) -> int:
        """0 where the baseline has shrunk to what cannot run."""
        try:
            return count(scale(baseline, **curve(phi)._asdict())).macs
        except InputError:
            if phi > 0:
                raise
            return 0

    low, high = -1.0, 1.0
    while macs_at(high) < macs:
        low, high = high, 2 * high
    while macs_at(low) >= macs and low > _SMALLEST_PHI:
        low, high = 2 * low, low
    while high - low > _NEAR * max(1.0, abs(high)):
        middle = (low + high) / 2
        low, high = (middle, high) if macs_at(middle) < macs else (low, middle)
    phi = min((phi for phi in (low, high) if macs_at(phi)), key=lambda phi: abs(math.log(macs_at(phi) / macs)))
    return curve(phi), scale(baseline, **curve(phi)._asdict())


def cell_of(baseline: Network, network: Network, inside: Factors) -> GridCell:
    """The cell around `inside`, a triple that rounds to `network`, found by bisection of the rounding itself."""
    intervals = {}
    for name, value in inside._asdict().items():
        same = partial(_rounds_to, network, baseline, inside, name)
        low, high = _edge(same, value, value / 2), _edge(same, value, value * 2)
        if low < 1 < high and not same(1.0):  # a factor of exactly 1 rounds nothing: 30 channels stay 30
            low, high = (math.nextafter(1, 2), high) if value > 1 else (low, math.nextafter(1, 0))
        intervals[name] = (low, high)
    return GridCell(**intervals)


def _centre(interval: Interval) -> float:
    low, high = interval
    if low <= 1 <= high:
        return 1.0
    return (low + high) / 2


def _edge(same: Callable[[float], bool], inside: float, outside: float) -> float:
    """The last value from `inside` towards `outside` for which `same` holds, to a billionth."""
    if same(outside):
        return outside
    while abs(outside - inside) > _NEAR * abs(inside):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if same(middle) else (inside, middle)
    return inside


def _rounds_to(network: Network, baseline: Network, inside: Factors, name: str, factor: float) -> bool:
    other = scale(baseline, **{**inside._asdict(), name: factor})
    return all(getattr(other, part) == getattr(network, part) for part in ("resolution", "stem", "stages", "head"))


class _Proposal(NamedTuple):
    """A network before its cell is worked out; `inside` is some triple that rounds to it."""

    network: Network
    rule: str
    inside: Factors
    merged: int = 1


def _corner(baseline: Network, rule: str) -> _Proposal:
    inside, network = nearest_on_curve(baseline, partial(factors, rule), TARGET * count(baseline).macs)
    return _Proposal(network, rule, inside)


def _candidate(baseline: Network, proposal: _Proposal, tolerance: float) -> Candidate:
    cell = cell_of(baseline, proposal.network, proposal.inside)
    centre = cell.centre()
    network = scale_shortly(baseline, centre)
    ratio = count(network).macs / count(baseline).macs
    within = abs(ratio - TARGET) <= tolerance
    return Candidate(network, proposal.rule, centre, cell, ratio, within, proposal.merged)


def _grid(baseline: Network, tolerance: float) -> Iterator[_Proposal]:
    """One proposal for each distinct depth and side whose width can be solved to the counted cost.

    Sides are one pixel apart, or a fiftieth of the baseline's where that is more: nobody tells 224 px from 225.
    """
    base = count(baseline).macs
    longer = max(baseline.resolution)
    for depth in _depths(baseline):
        for side in range(longer, 2 * longer, max(1, longer // 50)):
            fixed = Factors(depth, 1.0, side / longer)
            if count(scale(baseline, **fixed._asdict())).macs > (TARGET + tolerance) * base:
                break
            inside, network = nearest_on_curve(baseline, partial(_widened, fixed), TARGET * base)
            if inside.width < 1:  # beta >= 1: the least that is allowed is then the nearest
                inside, network = fixed, scale(baseline, **fixed._asdict())
            if abs(count(network).macs / base - TARGET) <= tolerance:
                yield _Proposal(network, "grid", inside)


def _widened(fixed: Factors, phi: float) -> Factors:
    return fixed._replace(width=2 ** (max(phi, 0.0) / 2))


def _depths(baseline: Network) -> Iterator[float]:
    """One depth factor for each distinct set of repeats, from 1 up to twice as deep: where a repeat count just fits."""
    repeats = {stage.repeats for stage in baseline.stages if stage.scales_depth} or {1}
    yield from sorted({1.0} | {wanted / n for n in repeats for wanted in range(n, 2 * n + 1)})


def _spread(chosen: list[_Proposal], others: list[_Proposal], most: int) -> list[_Proposal]:
    """`chosen` and those of `others` that lie farthest from all taken so far, until there are `most`."""
    others = [one for one in others if one not in chosen]
    while others and len(chosen) < most:
        farthest = max(others, key=lambda one: min(math.dist(_exponents(one), _exponents(two)) for two in chosen))
        others.remove(farthest)
        chosen.append(farthest)
    return chosen


def _exponents(proposal: _Proposal) -> tuple[float, float, float]:
    depth, width, resolution = proposal.inside
    return math.log2(depth), 2 * math.log2(width), 2 * math.log2(resolution)


def recorded(record: CandidateRecord, network: AnyNetwork) -> Candidate:
    """The candidate of a record, with the network that it names."""
    cell = None if record.cell is None else GridCell(**msgspec.structs.asdict(record.cell))
    return Candidate(
        network, record.rule,
        Factors(**msgspec.structs.asdict(record.factors)), cell,
        record.ratio, record.within, record.merged,
    )  # fmt: skip
