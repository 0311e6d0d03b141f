"""From what a calibration measured to a predictor."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, inf, log

import numpy as np

from triscale.latency.predictor.block_kernels import block_kernels
from triscale.latency.predictor.kernel_features import Kernel, Vectors
from triscale.latency.predictor.latency_model import Coefficients, Correction, LatencyModel
from triscale.latency.predictor.node_times import NodeTimes, Place, kernel_times
from triscale.latency.predictor.nonnegative import Doubles, relative_least_squares
from triscale.spec import Network, Resolved, resolve

COVERED = 0.9
"""Of unseen networks whose time lies in the interval."""

_POWER = 0.75
"""Between absolute and relative errors of kernels: long ones make a network's time, short ones are many."""

_SHORTEST = 0.002
"""Milliseconds below which a profile's clock says little."""

_DISTURBED, _CALMED = 1.25, 2
"""How far a kernel may be from what its kind tells; how often the fit is made for that."""

_LONG = 2.0
"""Milliseconds from which on a network counts for the interval; below, its constant part decides."""

_NODE_OVERHEAD = 0.0018
"""Milliseconds that a profile adds to a node."""


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


@dataclass(frozen=True, slots=True)
class _Row:
    """A sample with its kernels, and the milliseconds of each, so scaled that they sum to the whole."""

    sample: Sample
    kernels: tuple[Kernel, ...]
    milliseconds: Doubles


def _row(sample: Sample, vectors: Vectors) -> _Row:
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
    whole = row.sample.milliseconds + _NODE_OVERHEAD * len(row.sample.nodes)
    return replace(row, milliseconds=row.milliseconds * (whole / row.milliseconds.sum()))


def _calmed(row: _Row, model: LatencyModel) -> _Row:
    """Kernels far off what the others of the network tell are moved nearer: another process held them up."""
    expected = np.array([max(model.kernel(kernel), _SHORTEST) for kernel in row.kernels])
    level = float(np.median(row.milliseconds / expected))
    calm = np.clip(row.milliseconds, expected * level / _DISTURBED, expected * level * _DISTURBED)
    return _levelled(replace(row, milliseconds=calm))


def fit(samples: Sequence[Sample], vectors: Vectors) -> LatencyModel:
    """Coefficients by kind of kernel, then the correction, then the interval by leaving out each network in turn."""
    rows = [_row(sample, vectors) for sample in samples]
    for _ in range(_CALMED):
        model = _fitted(rows, vectors)
        rows = [_calmed(row, model) for row in rows]
    model = _fitted(rows, vectors)
    return replace(model, spread=_spread(rows, vectors))


def _spread(rows: Sequence[_Row], vectors: Vectors) -> float:
    """The error, as a logarithm, that 9 in 10 networks stay below when they are not part of the fit."""
    errors = []
    for row in [one for one in rows if one.sample.milliseconds >= _LONG] or rows:
        rest = [one for one in rows if one is not row]
        if {kernel.kind for kernel in row.kernels} <= {kernel.kind for one in rest for kernel in one.kernels}:
            errors.append(abs(log(row.sample.milliseconds / _predicted(_fitted(rest, vectors), row))))
    return float(np.quantile(errors, min(1.0, COVERED * (1 + 1 / len(errors))))) if errors else inf


def _fitted(rows: Sequence[_Row], vectors: Vectors) -> LatencyModel:
    plain = LatencyModel(vectors=vectors, coefficients=_coefficients(rows), correction=Correction(), spread=0.0)
    return replace(plain, correction=_correction(rows, plain))


def _predicted(model: LatencyModel, row: _Row) -> float:
    return model.correction.apply(len(row.kernels), sum(map(model.kernel, row.kernels)))


def _coefficients(rows: Sequence[_Row]) -> Coefficients:
    terms = defaultdict[str, list[dict[str, float]]](list)
    values = defaultdict[str, list[float]](list)
    for row in rows:
        for kernel, milliseconds in zip(row.kernels, row.milliseconds, strict=True):
            terms[kernel.kind].append(kernel.terms)
            values[kernel.kind].append(max(milliseconds, _SHORTEST))
    return {kind: _kind(terms[kind], np.array(values[kind])) for kind in sorted(terms)}


def _kind(terms: Sequence[Mapping[str, float]], values: np.ndarray) -> dict[str, float]:
    names = sorted({name for one in terms for name in one})
    table = np.array([[one.get(name, 0.0) for name in names] for one in terms])
    found = relative_least_squares(table, values, _POWER)
    return {name: float(value) for name, value in zip(names, found, strict=True) if value > 0}


def _correction(rows: Sequence[_Row], plain: LatencyModel) -> Correction:
    """Relative least squares; only the scale must be above 0."""
    sums = [sum(map(plain.kernel, row.kernels)) for row in rows]
    whole = np.array([row.sample.milliseconds for row in rows])
    table = np.array([(value, len(row.kernels), 1.0) for value, row in zip(sums, rows, strict=True)])
    scale, kernel, constant = np.linalg.lstsq(table / whole[:, None], np.ones(len(rows)), rcond=None)[0]
    return Correction(scale=float(scale), kernel=float(kernel), constant=float(constant))


def sample_of(network: Network, nodes: tuple[NodeTimes, ...], milliseconds: float, grain: float) -> Sample:
    """The sample of a network."""
    return Sample(resolved=resolve(network), nodes=nodes, milliseconds=milliseconds, grain=grain)


def interval_percent(model: LatencyModel) -> float:
    """Half the width of the interval, in percent."""
    return 100 * (exp(model.spread) - 1)
