"""From what a calibration measured to a predictor."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from triscale.latency.predictor.block_kernels import block_kernels
from triscale.latency.predictor.kernel_features import Kernel, Vectors
from triscale.latency.predictor.latency_model import Correction, LatencyModel, Line
from triscale.latency.predictor.node_times import NodeTimes, Place, kernel_times, lowest
from triscale.latency.predictor.nonnegative import Doubles, relative_least_squares
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

_NODE_OVERHEAD = 0.0018
"""Milliseconds that a profile adds to a node, likewise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A network of the calibration: what its kernels took in a profile, and what it took as a whole.

    Attributes:
        resolved: the network.
        nodes: the engine's nodes; empty where the engine has no profile.
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
    """A sample with its kernels, and the milliseconds of each, so scaled that they sum to the whole."""

    sample: Sample
    kernels: tuple[Kernel, ...]
    milliseconds: Doubles


def _row(sample: Sample, vectors: Vectors) -> _Row:
    if vectors.compiled:
        steps = step_kernels(sample.resolved.network, vectors.block)
        took = {node.name: lowest(node.microseconds, sample.grain) for node in sample.nodes}
        return _levelled(_Row(sample, steps, np.array([took[step.role] for step in steps])))
    places: list[Place] = []
    kernels: list[Kernel] = []
    for number, (_, block) in enumerate(sample.resolved.flat()):
        for kernel in block_kernels(block, vectors):
            kernels.append(kernel)
            places.append((number, kernel.role))
    times = kernel_times(sample.resolved, sample.nodes, sample.grain)
    found = np.array([times.get(place, 0.0) for place in places])
    return _levelled(_Row(sample, tuple(kernels), found))


def _levelled(row: _Row) -> _Row:
    """A profile gives shares, the whole run gives the level: on a busy machine the two differ."""
    return replace(row, milliseconds=row.milliseconds * (row.sample.profiled / row.milliseconds.sum()))


def _calmed(row: _Row, model: LatencyModel) -> _Row:
    """Kernels far off what the others of the network tell are moved nearer: another process held them up."""
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
    return replace(_fitted(rows, tables, vectors), spread=_spread(rows, tables, vectors))


def _spread(rows: Sequence[_Row], tables: Sequence["_Table"], vectors: Vectors) -> float:
    """The error, as a logarithm, that 9 in 10 networks stay below when they are not part of the fit."""
    errors = []
    long = [row.sample.milliseconds >= _LONG for row in rows]
    for index, row in enumerate(rows):
        kinds = {table.kind for table in tables if (table.owners != index).any()}
        if (long[index] or not any(long)) and {kernel.kind for kernel in row.kernels} <= kinds:
            model = _fitted(rows, tables, vectors, without=index)
            errors.append(abs(log(row.sample.milliseconds / _predicted(model, row))))
    return float(np.quantile(errors, min(1.0, COVERED * (1 + 1 / len(errors))))) if errors else inf


def _fitted(
    rows: Sequence[_Row], tables: Sequence["_Table"], vectors: Vectors, without: int | None = None
) -> LatencyModel:
    """The model of all rows, or of all but one."""
    coefficients = {table.kind: table.coefficients(without) for table in tables}
    plain = LatencyModel(vectors=vectors, coefficients=coefficients, correction=Correction(), spread=0.0)
    return replace(plain, correction=_correction([row for i, row in enumerate(rows) if i != without], plain))


def _predicted(model: LatencyModel, row: _Row) -> float:
    return model.correction.apply(len(row.kernels), sum(map(model.kernel, row.kernels)))


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
        for kernel, milliseconds in zip(row.kernels, row.milliseconds, strict=True):
            found[kernel.kind].append((index, kernel.terms, max(float(milliseconds), row.sample.shortest)))
    return tuple(_table(kind, *zip(*found[kind], strict=True)) for kind in sorted(found))


def _table(
    kind: str, owners: Sequence[int], terms: Sequence[dict[str, float]], milliseconds: Sequence[float]
) -> _Table:
    names = tuple(sorted({name for one in terms for name in one}))
    values = np.array([[one.get(name, 0.0) for name in names] for one in terms])
    return _Table(kind, names, values, np.array(milliseconds), np.array(owners))


def _correction(rows: Sequence[_Row], plain: LatencyModel) -> Correction:
    long = [row for row in rows if row.sample.milliseconds >= _LONG]
    short = _line(rows, plain, terms=3)
    least = min(sum(map(plain.kernel, row.kernels)) for row in rows)
    return Correction(short=short, long=_line(long, plain, terms=2) if len(long) >= _ENOUGH else short, least=least)


def _line(rows: Sequence[_Row], plain: LatencyModel, terms: int) -> Line:
    """Relative least squares with the first so many terms, which may be below 0."""
    sums = [sum(map(plain.kernel, row.kernels)) for row in rows]
    whole = np.array([row.sample.milliseconds for row in rows])
    table = np.array([(value, len(row.kernels), 1.0)[:terms] for value, row in zip(sums, rows, strict=True)])
    return Line(*map(float, np.linalg.lstsq(table / whole[:, None], np.ones(len(rows)), rcond=None)[0]))


def sample_of(network: Network, nodes: tuple[NodeTimes, ...], milliseconds: float, grain: float) -> Sample:
    """The sample of a network."""
    return Sample(resolved=resolve(network), nodes=nodes, milliseconds=milliseconds, grain=grain)
