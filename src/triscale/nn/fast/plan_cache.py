"""Measured plans, kept on the machine: the same training again takes the same plan, and so ends in the same bits."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from triscale.costs import Precision
from triscale.errors import InputError
from triscale.files import replacing
from triscale.machine import machine
from triscale.nn.device import device_of
from triscale.nn.fast import native
from triscale.nn.fast.machine_load import LoadWatch
from triscale.nn.fast.tuning import Tuned, measured
from triscale.speed_plan import SpeedPlan

_FORMAT = "triscale plan 2"
_TRIES = 3
"""How often a plan is measured as long as it is unsure: not at each training of a machine that is never quiet."""


class CachedPlan(NamedTuple):
    """A plan of the cache, and whether it was measured in quiet."""

    plan: SpeedPlan
    sure: bool


def kept_plan(
    model: nn.Module,
    batch: int,
    resolution: tuple[int, int],
    precision: Precision,
    tell: Callable[[str], None] = lambda _: None,
    *,
    busy: Callable[[], bool] = lambda: LoadWatch(torch.get_num_threads())().crowded,
) -> SpeedPlan:
    """The plan of `tune`, measured once for such a model, batch, size, precision and number of threads on a machine.

    A plan that was measured beside other programs is measured again, at most twice, once the machine is quiet. Without
    compiled kernels it holds what plain torch can do; where none are wanted, or elsewhere than on a CPU, it is empty
    and nothing is measured.

    Args:
        model: as of `tune`, like `batch`, `resolution` and `precision`.
        tell: hears about a measurement, which takes seconds, and of what it found.
        busy: whether other programs take the machine's cores now.
    """
    if native.unwanted() or device_of(model).type != "cpu":
        return SpeedPlan()
    try:
        paths = _paths(native.cache(), model, batch, resolution, precision)
    except native.Unavailable:
        return measured(model, batch, resolution, precision).plan
    known: CachedPlan | None = None
    for path in paths:
        last, known = known, _read(path)
        if known is None:
            if last and busy():
                return last.plan
            tell(f"measuring which kernels are faster on this machine{', again, as it was busy' if last else ''}")
            tuned = measured(model, batch, resolution, precision)
            tell(f"measured: {tuned.told()}")
            _write(path, tuned)
            known = _read(path) or CachedPlan(tuned.plan, tuned.sure)
            break
        if known.sure:
            break
    return known.plan if known else SpeedPlan()


def _paths(folder: Path, model: nn.Module, batch: int, resolution: tuple[int, int], precision: Precision) -> list[Path]:
    """One for each try, named by all that the measurement depends on."""
    build = native.build_digest() if native.available() else None
    here = [machine()[name] for name in ("cpu", "isa", "torch_isa", "isa_limits", "torch")]
    asked = [_FORMAT, repr(model), batch, resolution, precision, torch.get_num_threads(), build, *here]
    name = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]
    return [folder / f"plan-{name}-{attempt}.json" for attempt in range(1, _TRIES + 1)]


def _read(path: Path) -> CachedPlan | None:
    with suppress(OSError, ValueError, InputError, KeyError, TypeError):
        found = json.loads(path.read_bytes())
        return CachedPlan(SpeedPlan.from_dict(found["plan"]), bool(found["sure"]))
    return None


def _write(path: Path, tuned: Tuned) -> None:
    """Whole or not at all, and never over another process's, which measured at the same time and goes by its own.

    A cache that takes no files costs a measurement each time.
    """
    document = {"format": _FORMAT, "plan": tuned.plan.to_dict(), **tuned.to_dict()}
    with suppress(OSError):
        if _read(path) is None:  # damaged, or not there
            path.unlink(missing_ok=True)
        with replacing(path, over=False) as file:
            file.write(json.dumps(document).encode())
