"""Calibrate a target: measure the designed networks, fit the predictor, keep it; see later whether it still holds."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from statistics import median
from time import monotonic
from typing import NamedTuple

import msgspec
import numpy as np

from triscale.costs import Target
from triscale.engines import PRECISIONS, engine_named
from triscale.errors import InputError, NumericError, UsageError
from triscale.latency.predictor.calibration_networks import RECIPE, calibration_networks
from triscale.latency.predictor.calibration_passes import (
    PERCENTILE,
    Header,
    images_for,
    measure_passes,
    run_times,
)
from triscale.latency.predictor.calibration_store import (
    Calibration,
    calibration,
    calibration_path,
    fingerprint,
    installed_version,
    save,
)
from triscale.latency.predictor.model_fit import Sample, fit
from triscale.latency.predictor.profiles.profiling import profiler_of, vectors_of
from triscale.lock import locked
from triscale.machine import cores, machine

SECONDS = 90.0
"""After which a calibration begins no third or later pass."""

_ELSEWHERE = "set TRISCALE_CACHE to another folder"
_ANCHOR_ROUNDS = 4
_MOST_DRIFT = 1.25
_TIE = 0.02


class Drift(NamedTuple):
    """What the anchors take now over what they took in the calibration: the median, and each."""

    ratio: float
    anchors: dict[str, float]


def _silent(_done: int, _whole: int) -> None:
    pass


def calibrate(target: Target, *, seconds: float = SECONDS, watch: Callable[[int, int], None] = _silent) -> Calibration:
    """Calibrate the predictor of a target on this machine, and keep it in the cache folder.

    Each measurement is on disk before the next begins: a calibration that was killed continues where it was.

    Args:
        target: an engine, a precision, threads, and images at once.
        seconds: after which no third or later pass begins; all six take one to two minutes.
        watch: is called with how many measurements are done, of how many.

    Raises:
        UsageError: an unknown engine, or more threads than this process has cores.
        InputError: the engine is not installed, or does not run this precision here.
        BusyError: another process calibrates on this machine.
        OutputError, StorageError: the cache folder cannot be written.
    """
    require_able(target)
    profiler = profiler_of(target)
    path = calibration_path(target)
    header = Header(recipe=RECIPE, target=str(target), engine_version=installed_version(target), machine=fingerprint())
    begun, networks = monotonic(), calibration_networks()
    with locked(path.parent, instead=_ELSEWHERE):
        passes = path.with_suffix(".passes.jsonl")
        samples = measure_passes(passes, header, target, networks, profiler, watch, seconds)
        found = _fitted(header, target, samples, monotonic() - begun)
        save(found, path)
        passes.unlink(missing_ok=True)
    return found


def check_drift(target: Target) -> Drift:
    """Run the anchors again, some seconds, and scale predictions by how much slower or faster they are now.

    The kept calibration is changed: predictions are multiplied by the median ratio from now on, by 1 within 2%.

    Raises:
        InputError: there is no calibration, or the anchors differ by more than a quarter; it is to be renewed then.
        BusyError: another process calibrates on this machine.
    """
    kept = calibration(target)
    with locked(calibration_path(target).parent, instead=_ELSEWHERE):
        now = {name: _anchor(name, target) for name in kept.anchors}
        found = drift_of(kept, now)
        save(adjusted(kept, found), calibration_path(target))
    return found


def drift_of(kept: Calibration, now: Mapping[str, float]) -> Drift:
    """What anchors take now, in milliseconds, over what they took.

    Raises:
        InputError: the median is beyond a quarter; the message has the line that renews the calibration.
    """
    ratios = {name: value / kept.anchors[name] for name, value in now.items()}
    ratio = median(ratios.values())
    if not 1 / _MOST_DRIFT <= ratio <= _MOST_DRIFT:
        raise InputError(
            f"{kept.target} takes {ratio:.2f} times as long as when it was calibrated: the machine is loaded, or it "
            f"has changed.\nOnce it is idle, renew the calibration:\n  triscale calibrate --target {kept.target}"
        )
    return Drift(ratio, ratios)


def adjusted(kept: Calibration, drift: Drift) -> Calibration:
    """The calibration with predictions multiplied by the drift, where it is more than noise."""
    return msgspec.structs.replace(kept, drift=1.0 if abs(drift.ratio - 1) <= _TIE else drift.ratio)


def require_able(target: Target) -> None:
    """Find out whether a target can be calibrated here.

    Raises:
        UsageError: an unknown engine, or more threads than this process has cores.
        InputError: the engine is not installed, does not run this precision here, or says nothing of its kernels.
    """
    engine = engine_named(target.runtime)
    if reason := engine.missing():
        raise InputError(f"{reason}.")
    precision = next((one for one in PRECISIONS if one == target.precision), None)
    if precision is None:
        raise InputError(f"{engine.name} does not run {target.precision}.")
    if reason := engine.unfit(precision):
        raise InputError(f"{reason}.")
    profiler_of(target)
    if target.threads > cores():
        raise UsageError(f"{target.threads} threads are more than the {cores()} cores that this process may use.")


def _fitted(header: Header, target: Target, samples: tuple[Sample, ...], seconds: float) -> Calibration:
    model = fit(samples, vectors_of(target))
    if not np.isfinite(model.spread):
        raise NumericError(f"the measurements of {target} are too few or too noisy for a predictor.")
    return Calibration(
        target=header.target,
        engine_version=header.engine_version,
        machine=machine(),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 1),
        networks=len(samples),
        recipe=header.recipe,
        model=model,
        whole={sample.resolved.network.name: round(sample.milliseconds, 5) for sample in samples},
    )


def _anchor(name: str, target: Target) -> float:
    """Milliseconds of an anchor now, measured as the calibration does."""
    network = next(one for one in calibration_networks() if one.name == name)
    opened = profiler_of(target).prepared(network, target).open()
    images = images_for(network, target.batch)
    times = [one for _ in range(_ANCHOR_ROUNDS) for one in run_times(opened, images, target.threads)]
    opened.close()
    return float(np.percentile(times, PERCENTILE))
