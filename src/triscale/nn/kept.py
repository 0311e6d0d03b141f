"""Measured plans, kept on the machine: who asks the same again trains by the same plan, and so to the same bits."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch
from torch import nn

from triscale.errors import InputError
from triscale.nn import native
from triscale.nn.device import device_of
from triscale.nn.plan import Plan
from triscale.nn.tune import Precision, tune


def kept_plan(
    model: nn.Module,
    batch: int,
    resolution: tuple[int, int],
    precision: Precision,
    tell: Callable[[str], None] = lambda _: None,
) -> Plan:
    """The plan of `tune`, measured once for such a model, batch, size, precision and number of threads on a machine.

    Without compiled kernels it holds what plain torch can do; where none are wanted, or elsewhere than on a CPU, it is
    empty and nothing is measured. Arguments as of `tune`; `tell` hears of a measurement, which takes seconds.
    """
    if native.unwanted() or device_of(model).type != "cpu":
        return Plan()
    build = native.build_digest() if native.available() else None
    asked = [repr(model), batch, resolution, precision, torch.get_num_threads(), build]
    name = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]
    try:
        path = native.cache_folder() / f"plan-{name}.json"
    except native.Unavailable:
        return tune(model, batch, resolution, precision)
    if (known := _read(path)) is not None:
        return known
    tell("finding the fastest ways for the parts of the network on this machine; it is kept for the next time")
    found = tune(model, batch, resolution, precision)
    _write(path, found)
    return _read(path) or found


def _read(path: Path) -> Plan | None:
    with suppress(OSError, ValueError, InputError):
        return Plan.from_json(json.loads(path.read_bytes()))
    return None


def _write(path: Path, plan: Plan) -> None:
    """Whole or not at all, and never over another process's, which measured at the same time and goes by its own.

    A cache that takes no files costs a measurement each time.
    """
    with suppress(OSError):
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(plan.to_json(), file)
            try:
                path.hardlink_to(name)
            except FileExistsError:
                if _read(path) is None:  # damaged
                    Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
