"""From what a calibration measured to a predictor."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from triscale.latency.predictor.block_kernels import block_kernels
from triscale.latency.predictor.kernel_features import Kernel, Vectors
from triscale.latency.predictor.latency_model import BLEND, Correction, Group, LatencyModel, Line, Part, Sums
from triscale.latency.predictor.node_times import NodeTimes, Place, kernel_times, lowest
from triscale.latency.predictor.nonnegative import Doubles, nonnegative_least_squares, relative_least_squares
from triscale.latency.predictor.step_kernels import step_kernels
from triscale.spec import Network, Resolved, resolve

COVERED = 0.9
"""Of unseen networks whose time lies in the interval."""

_POWER = 0.75
"""Between absolute and relative errors of kernels: long ones make a network's time, short ones are many."""

_SHORTEST = 0.002
"""Milliseconds below which a profile's clock says little, for each microsecond of its grain up to one."""

_DISTURBED, _CALMED = 1.25, 2
"""How far a kernel may be from what its kind tells; how often the fit is made for that."""

_LONG, _ENOUGH = 2.0, 8
"""Milliseconds from which on a network counts for the interval, and for a line of its own if there are so many."""

_PRIOR = 0.1
"""The relative error of a network for which the scale of a group of kernels departs from 1 by as much as 1."""

_NODE_OVERHEAD = 0.0018
"""Milliseconds that a profile adds to a node, likewise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A network of the calibration: what its kernels took in a profile, and what it took as a whole.

    Attributes:
        resolved: the network.
        nodes: the engine's nodes; empty where it was not profiled.
        milliseconds: of a whole run without a profile.
        grain: how exactly the profile knows a run, in microseconds.
    """

    resolved: Resolved
    nodes: tuple[NodeTimes, ...]
    milliseconds: float
    grain: float = 1.0

    @property
    def shortest(self) -> float:
        """Milliseconds of a kernel below which the profile says little."""
        return _SHORTEST * min(1.0, self.grain)

    @property
    def profiled(self) -> float:
        """Milliseconds of a whole run as long as the profile's."""
        return self.milliseconds + _NODE_OVERHEAD * min(1.0, self.grain) * len(self.nodes)


@dataclass(frozen=True, slots=True)
class _Row:
    """A sample with its kernels, and the milliseconds of each, so scaled that they sum to the whole, if profiled."""

    sample: Sample
    kernels: tuple[Kernel, ...]
    milliseconds: Doubles

    @property
    def is_long(self) -> bool:
        return self.sample.milliseconds >= _LONG

    @property
    def is_profiled(self) -> bool:
        return bool(self.sample.nodes)

    def sums(self, model: LatencyModel) -> Sums:
        return model.summed((kernel, 1) for kernel in self.kernels)


def _row(sample: Sample, vectors: Vectors) -> _Row:
    placed = tuple(_placed(sample.resolved, vectors))
    kernels = tuple(kernel for _, kernel in placed)
    if not sample.nodes:
        return _Row(sample, kernels, np.zeros(len(kernels)))
    if vectors.compiled:
        took = {node.name: lowest(node.microseconds, sample.grain) for node in sample.nodes}
        return _levelled(_Row(sample, kernels, np.array([took[kernel.role] for kernel in kernels])))
    times = kernel_times(sample.resolved, sample.nodes, sample.grain)
    return _levelled(_Row(sample, kernels, np.array([times.get(place, 0.0) for place, _ in placed])))


def _placed(resolved: Resolved, vectors: Vectors) -> Iterator[tuple[Place, Kernel]]:
    """The kernels of a network, each with its block's number and its role."""
    if vectors.compiled:
        yield from (((0, kernel.role), kernel) for kernel in step_kernels(resolved.network, vectors.block))
        return
    for number, (_, block) in enumerate(resolved.flat()):
        yield from (((number, kernel.role), kernel) for kernel in block_kernels(block, vectors))


def _levelled(row: _Row) -> _Row:
    """A profile gives shares, the whole run gives the level: on a busy machine the two differ."""
    return replace(row, milliseconds=row.milliseconds * (row.sample.profiled / row.milliseconds.sum()))


def _calmed(row: _Row, model: LatencyModel) -> _Row:
    """Kernels far off what the others of the network tell are moved nearer: another process held them up."""
    if not row.is_profiled:
        return row
    expected = np.array([max(model.kernel(kernel), row.sample.shortest) for kernel in row.kernels])
    level = float(np.median(row.milliseconds / expected))
    calm = np.clip(row.milliseconds, expected * level / _DISTURBED, expected * level * _DISTURBED)
    return _levelled(replace(row, milliseconds=calm))


def fit(samples: Sequence[Sample], vectors: Vectors) -> LatencyModel:
    """Coefficients by kind of kernel, then the correction, then the interval by leaving out each network in turn."""
    rows = [_row(sample, vectors) for sample in samples]
    for _ in range(_CALMED):
        model = _fitted(rows, _tables(rows), vectors)
        rows = [_calmed(row, model) for row in rows]
    tables = _tables(rows)
    long, short = _spreads(rows, tables, vectors)
    return replace(_fitted(rows, tables, vectors), spread=long, short_spread=short)


def _spreads(rows: Sequence[_Row], tables: Sequence["_Table"], vectors: Vectors) -> tuple[float, float]:
    """The error, as a logarithm, that 9 in 10 networks stay below when they are not part of the fit: long ones, short.

    Where a calibration has none of them, it is that of the others.
    """
    errors: dict[bool, list[float]] = {True: [], False: []}
    for index, row in enumerate(rows):
        kinds = {table.kind for table in tables if (table.owners != index).any()}
        if {kernel.kind for kernel in row.kernels} <= kinds:
            model = _fitted(rows, tables, vectors, without=index)
            errors[row.is_long].append(abs(log(row.sample.milliseconds / _predicted(model, row))))
    return _covering(errors[True] or errors[False]), _covering(errors[False] or errors[True])


def _covering(errors: Sequence[float]) -> float:
    return float(np.quantile(errors, min(1.0, COVERED * (1 + 1 / len(errors))))) if errors else inf


def _fitted(
    rows: Sequence[_Row], tables: Sequence["_Table"], vectors: Vectors, without: int | None = None
) -> LatencyModel:
    """The model of all rows, or of all but one."""
    coefficients = {table.kind: table.coefficients(without) for table in tables}
    plain = LatencyModel(
        vectors=vectors, coefficients=coefficients, correction=Correction(), spread=0.0, short_spread=0.0
    )
    return replace(plain, correction=_correction([row for i, row in enumerate(rows) if i != without], plain))


def _predicted(model: LatencyModel, row: _Row) -> float:
    return model.correction.apply(row.sums(model))


@dataclass(frozen=True, slots=True)
class _Table:
    """All kernels of a kind: terms [kernels, names], milliseconds [kernels], the index of the row that each is of."""

    kind: str
    names: tuple[str, ...]
    terms: Doubles
    milliseconds: Doubles
    owners: NDArray[np.int64]

    def coefficients(self, without: int | None) -> dict[str, float]:
        """Milliseconds for one of each term, from all rows but one; terms that cost nothing are left out."""
        kept = self.owners != (-1 if without is None else without)
        found = relative_least_squares(self.terms[kept], self.milliseconds[kept], _POWER)
        return {name: float(value) for name, value in zip(self.names, found, strict=True) if value > 0}


def _tables(rows: Sequence[_Row]) -> tuple[_Table, ...]:
    found = defaultdict[str, list[tuple[int, dict[str, float], float]]](list)
    for index, row in enumerate(rows):
        for kernel, milliseconds in zip(row.kernels, row.milliseconds, strict=True) if row.is_profiled else ():
            found[kernel.kind].append((index, kernel.terms, max(float(milliseconds), row.sample.shortest)))
    return tuple(_table(kind, *zip(*found[kind], strict=True)) for kind in sorted(found))


def _table(
    kind: str, owners: Sequence[int], terms: Sequence[dict[str, float]], milliseconds: Sequence[float]
) -> _Table:
    names = tuple(sorted({name for one in terms for name in one}))
    values = np.array([[one.get(name, 0.0) for name in names] for one in terms])
    return _Table(kind, names, values, np.array(milliseconds), np.array(owners))


def _correction(rows: Sequence[_Row], plain: LatencyModel) -> Correction:
    by_time = sorted(rows, key=lambda row: row.sample.milliseconds)
    long = [row for row in rows if row.is_long]
    short = [row for row in by_time if row.sample.milliseconds < BLEND[1]]
    return Correction(
        long=_line(long if len(long) >= _ENOUGH else rows, plain),
        short=_parts(short if len(short) >= _ENOUGH else by_time[:_ENOUGH], plain),
        least=by_time[0].sample.milliseconds,
    )


def _line(rows: Sequence[_Row], plain: LatencyModel) -> Line:
    """Relative least squares; the second may be below 0."""
    sums = [row.sums(plain) for row in rows]
    whole = np.array([row.sample.milliseconds for row in rows])
    table = np.array([(one.milliseconds, one.kernels) for one in sums])
    return Line(*map(float, np.linalg.lstsq(table / whole[:, None], np.ones(len(rows)), rcond=None)[0]))


def _parts(rows: Sequence[_Row], plain: LatencyModel) -> dict[str, Part]:
    """Relative least squares with what the kernels of each group take, and with their number."""
    groups = [row.sums(plain).groups for row in rows]
    names = sorted({name for one in groups for name in one})
    empty = Group()
    table = np.array([[value for name in names for value in one.get(name, empty)] for one in groups])
    whole = np.array([row.sample.milliseconds for row in rows])
    prior = _PRIOR * np.repeat(np.eye(len(names)), 2, axis=1) * np.tile([0.0, 1.0], len(names))
    terms = np.concatenate([table / whole[:, None], prior])
    values = np.concatenate([np.ones(len(rows)), np.full(len(names), _PRIOR)])
    each, scale = nonnegative_least_squares(terms, values).reshape(-1, 2).T
    return {name: Part(float(scale[i]), float(each[i])) for i, name in enumerate(names)}


def sample_of(network: Network, nodes: tuple[NodeTimes, ...], milliseconds: float, grain: float) -> Sample:
    """The sample of a network."""
    return Sample(resolved=resolve(network), nodes=nodes, milliseconds=milliseconds, grain=grain)
