"""Calibrations on disk: one readable JSON file for each target and machine, in the cache folder."""

import hashlib
import json
from functools import lru_cache
from importlib import metadata
from math import exp
from pathlib import Path
from typing import Literal

import msgspec

from triscale.costs import Target
from triscale.engines import engine_named
from triscale.errors import InputError, OutputError
from triscale.files import cache_folder, write_atomically
from triscale.latency.predictor.calibration_networks import ANCHORS, RECIPE
from triscale.latency.predictor.latency_model import LatencyModel, Prediction
from triscale.machine import machine
from triscale.spec import Network

Machine = dict[str, str | int | None]

_FINGERPRINT = ("cpu", "isa", "isa_limits")
"""What of a machine decides whether its times are another's."""


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """A predictor with where it comes from.

    Attributes:
        target: as text, such as `onnxruntime:float32:t1:b1`.
        engine_version: of the library that was measured.
        machine: see `triscale.machine.machine`.
        made: when, ISO 8601.
        seconds: that measuring took.
        networks: that were measured.
        recipe: of the calibration, see `calibration_networks.RECIPE`.
        model: coefficients and interval.
        whole: milliseconds of the networks that were measured.
        drift: what predictions are multiplied by since the last check of the anchors.
    """

    target: str
    engine_version: str
    machine: Machine
    made: str
    seconds: float
    networks: int
    recipe: int
    model: LatencyModel
    whole: dict[str, float]
    drift: float = 1.0
    format: Literal["triscale.latency"] = "triscale.latency"

    @property
    def anchors(self) -> dict[str, float]:
        """Milliseconds of the networks that show whether the machine has changed since."""
        return {name: value for name, value in self.whole.items() if name in ANCHORS}

    @property
    def interval_percent(self) -> float:
        """Half the width of the interval."""
        return 100 * (exp(self.model.spread) - 1)

    def predict(self, network: Network) -> Prediction:
        """The time of one run on the target.

        Raises:
            InputError: the network cannot be resolved.
        """
        found = self.model.predict(network)
        return found if self.drift == 1 else Prediction(*(value * self.drift for value in found))


def calibration_path(target: Target) -> Path:
    """Where the calibration of a target on this machine lies, or will lie."""
    name = str(target).replace(":", "-")
    return cache_folder() / "latency" / f"{name}-{_fingerprint(fingerprint())}.json"


def fingerprint() -> Machine:
    """What of this machine decides its times."""
    here = machine()
    return {name: here[name] for name in _FINGERPRINT}


def save(calibration: Calibration, path: Path) -> None:
    """Write a calibration; its folder is made.

    Raises:
        OutputError, StorageError: it cannot be written.
    """
    text = json.dumps(msgspec.to_builtins(calibration), indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {path.parent}: {error.strerror}.") from None
    write_atomically(path, text.encode())


def calibration(target: Target, path: Path | None = None) -> Calibration:
    """The calibration of a target.

    Args:
        target: where networks run.
        path: of a calibration that may be another machine's or another version's: who names it wants that one. None:
            this machine's own.

    Raises:
        InputError: there is none, it cannot be read, or it is of another target; without a path also one that is of
            another machine, version of the engine, or recipe. The message has the line that makes one.
    """
    place = path or calibration_path(target)
    try:
        stamp = place.stat().st_mtime_ns
    except OSError:
        missing = f"{path} cannot be read" if path else f"{target} has not been calibrated on this machine"
        raise InputError(f"{missing}; a minute or two does:\n  {renewing(target)}") from None
    found = _loaded(place, stamp)
    if found is None:
        raise InputError(f"{place} is not a calibration, or it is damaged; make it again:\n  {renewing(target)}")
    if found.target != str(target):
        raise InputError(f"{place} is a calibration of {found.target}, not of {target}.")
    if path is None and (differs := _difference(place, stamp, target)):
        raise InputError(f"the calibration of {target} is {differs}; renew it:\n  {renewing(target)}")
    return found


def renewing(target: Target) -> str:
    """The command that calibrates a target."""
    return f"triscale calibrate --target {target}"


def installed_version(target: Target) -> str:
    """The version of the target's engine, found without importing it where its package says so.

    Raises:
        InputError: it is not installed.
        UsageError: there is no such engine.
    """
    engine = engine_named(target.runtime)
    if reason := engine.missing():
        raise InputError(f"{reason}.")
    return _package_version(engine.library) or engine.version()


@lru_cache(maxsize=8)
def _package_version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


@lru_cache(maxsize=16)
def _difference(path: Path, stamp: int, target: Target) -> str | None:
    """In what a calibration is another's; None where it is of this machine and version. Found once for each file."""
    found, version, here = _loaded(path, stamp), installed_version(target), fingerprint()
    if found is None or found.recipe != RECIPE:
        return "made by another version of triscale"
    if {name: found.machine.get(name) for name in _FINGERPRINT} != here:
        return f"of another machine ({found.machine.get('cpu')})"
    return None if found.engine_version == version else f"of {target.runtime} {found.engine_version}, here is {version}"


@lru_cache(maxsize=16)
def _loaded(path: Path, _stamp: int) -> Calibration | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Calibration)
    except (OSError, msgspec.DecodeError):
        return None


def _fingerprint(facts: Machine) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
