"""What the record says: errors of the predictor and of trivial ones, and how well the truth repeats."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.latency.unseen import group
from triscale.costs import count
from triscale.latency.predictor import Calibration
from triscale.latency.predictor.calibrating import Drift, adjusted
from triscale.latency.predictor.calibration_networks import ANCHORS, calibration_networks
from triscale.latency.predictor.latency_model import Prediction
from triscale.latency.predictor.nonnegative import relative_least_squares
from triscale.spec import Network, resolve

LEAST = 2.0
"""Milliseconds from which on a network counts."""

VOID = 0.02
"""A truth that repeats worse than that, in the median, decides nothing."""

Times = Mapping[str, float]
Doubles = NDArray[np.float64]


def facts(kept: Calibration, networks: Mapping[str, Network], measured: Sequence[Sequence[Times]]) -> dict[str, Any]:
    """The facts of a record.

    Args:
        kept: the calibration.
        networks: unseen ones by name.
        measured: milliseconds of them and of the anchors, by session and part.
    """
    sessions = [{name: value for part in parts for name, value in part.items()} for parts in measured]
    both = [name for name in networks if all(name in one for one in sessions)]
    truth = {name: median(one[name] for one in sessions) for name in both}
    names = [name for name in both if truth[name] >= LEAST]
    short = [name for name in both if truth[name] < LEAST]
    drift = Drift(median(_ratios(kept, measured) or [1.0]), {})
    plain = {name: kept.predict(networks[name]) for name in both}
    checked = {name: adjusted(kept, drift).predict(networks[name]).milliseconds for name in names}
    errors = {name: plain[name].milliseconds / truth[name] - 1 for name in both}
    repeats = np.array([sessions[0][name] / sessions[1][name] for name in names])
    repeated = summary(repeats / np.median(repeats) - 1)
    return {
        "recipe": kept.recipe, "engine_version": kept.engine_version, "calibration_seconds": kept.seconds,
        "drift": drift.ratio,
        "interval_percent": kept.interval_percent, "networks": len(names), "repeated": repeated,
        "void": repeated["median"] > VOID, "common_factor": float(np.median(repeats)),
        "predictor": summary(np.array([errors[name] for name in names])),
        "covered": _covered(plain, truth, names),
        "short": {
            "networks": len(short), **summary(np.array([errors[name] for name in short])),
            "covered": _covered(plain, truth, short),
        },
        "after_check": summary(np.array([checked[name] / truth[name] - 1 for name in names])),
        "groups": {
            one: summary(np.array([errors[name] for name in names if group(name) == one]))
            for one in ("registered", "scaled", "random")
        },
        "trivial": {name: _trivial(kept, networks, names, truth, terms) for name, terms in TRIVIAL.items()},
        "worst": sorted(((name, round(errors[name], 3)) for name in names), key=lambda one: -abs(one[1]))[:8],
    }  # fmt: skip


def _covered(predicted: Mapping[str, Prediction], truth: Times, names: Sequence[str]) -> float:
    """The share of networks whose time lies in the interval."""
    return float(np.mean([predicted[name].low <= truth[name] <= predicted[name].high for name in names]))


def _ratios(kept: Calibration, measured: Sequence[Sequence[Times]]) -> list[float]:
    """What each anchor took in each part of the test over what it took in the calibration."""
    parts = [part for parts in measured for part in parts]
    return [part[name] / kept.anchors[name] for name in ANCHORS for part in parts if name in part]


def summary(errors: Doubles) -> dict[str, float]:
    """Median, shares within 5, 10 and 20%, the worst, and the median with its sign."""
    sizes = np.abs(errors)
    shares = {f"within_{percent}": float(np.mean(sizes <= percent / 100)) for percent in (5, 10, 20)}
    return {"median": float(np.median(sizes)), **shares, "worst": float(sizes.max()), "bias": float(np.median(errors))}


def _whole(network: Network) -> list[float]:
    counts, layers = count(network), sum(len(block.layers) for _, block in resolve(network).flat())
    return [counts.macs, counts.activations, counts.params, layers, 1.0]


TRIVIAL: dict[str, Callable[[Network], list[float]]] = {
    "macs": lambda network: [float(count(network).macs)],
    "macs and a constant": lambda network: [float(count(network).macs), 1.0],
    "macs, activations, params, layers": _whole,
}


def _trivial(
    kept: Calibration, networks: Mapping[str, Network], names: Sequence[str], truth: Times,
    terms: Callable[[Network], list[float]],
) -> dict[str, float]:  # fmt: skip
    """A predictor of terms of the whole network, fitted to what the calibration's networks took."""
    known = [net for net in calibration_networks() if net.name in kept.whole]
    table = np.array([terms(net) for net in known])
    found = relative_least_squares(table, np.array([kept.whole[net.name] for net in known]))
    return summary(np.array([float(np.dot(terms(networks[name]), found)) / truth[name] - 1 for name in names]))
