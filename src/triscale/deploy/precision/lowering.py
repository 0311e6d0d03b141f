"""The request for an export in a lower precision, and its result."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from triscale.deploy.about import ExportFormat, ExportPrecision
from triscale.deploy.precision.accuracy_gate import AccuracyDrop, rounded_up
from triscale.deploy.precision.quantizer import Packer
from triscale.errors import NumericError, UsageError, did_you_mean

CARRIED: Mapping[ExportFormat, tuple[ExportPrecision, ...]] = {
    "onnx": ("float32", "int8"),
    "openvino": ("float32", "bfloat16", "int8"),
    "pt2": ("float32",),
    "native": ("float32",),
}
"""The precisions of each format. ONNX Runtime has no convolution in bfloat16 on CPUs."""

MAX_DROP, IMAGES, SECONDS = 1.0, 256, 600.0
"""Points that may be lost, images that calibrate, and time for a search, unless the user says another."""

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Lowering:
    """A request for an export in a lower precision.

    Attributes:
        precision: int8 or bfloat16.
        data: a data set: its training images calibrate, others judge.
        split: that judges; None: the images that `triscale evaluate` takes.
        max_drop: percentage points of top-1 that may be lost: the upper end of the interval of the drop stays below.
        calibration: images that calibrate int8.
        seconds: for finding layers that go back to float32, where int8 loses more.
        shared: files that are judged on the same images, of which one is taken: each has its part of the risk.
        say: hears what is done.
    """

    precision: ExportPrecision
    data: str | Path
    split: str | None = None
    max_drop: float = MAX_DROP
    calibration: int = IMAGES
    seconds: float = SECONDS
    shared: int = 1
    say: Say = lambda _: None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lowered:
    """A graph in a lower precision.

    Attributes:
        packer: the graph.
        accuracy: what it changes, shown to be within what was allowed.
        calibration: images that calibrated it; 0 for bfloat16.
        layers: convolutions and linear layers.
        kept: those of them that are in float32.
    """

    packer: Packer
    accuracy: AccuracyDrop
    calibration: int = 0
    layers: int = 0
    kept: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For metadata and output."""
        return {
            **self.accuracy.to_dict(),
            "calibration_images": self.calibration,
            "layers": self.layers,
            "float32_layers": list(self.kept),
        }


def lowering_from(
    precision: str, data: str | Path | None, given: Mapping[str, Any], say: Say = lambda _: None
) -> Lowering | None:
    """The request that options make, any of which may be left out; None for float32.

    Args:
        precision: by its name.
        data: a data set.
        given: other fields of `Lowering` by name; None: left out.
        say: hears what is done.

    Raises:
        UsageError: no such precision, or options that contradict each other.
    """
    found = {name: value for name, value in given.items() if value is not None}
    named = precision_named(precision)
    if named == "float32":
        if data is not None or found:
            first = "data" if data is not None else _OPTIONS[next(iter(found))]
            raise UsageError(f"--{first} is for a lower precision: give --precision int8 or bfloat16, or leave it out.")
        return None
    if data is None:
        what = "calibrated and judged" if named == "int8" else "judged"
        raise UsageError(f"{named} is {what} on your images: give --data, such as the data of the training.")
    made = Lowering(precision=named, data=data, say=say, **found)
    _require_sane(made)
    return made


def lowering_of_auto(data: str | Path | None, given: Mapping[str, Any], say: Say = lambda _: None) -> Lowering | None:
    """What lower precisions are held to where they are to be chosen; None: no data, so float32 alone.

    See `lowering_from` for the arguments.

    Raises:
        UsageError: options that contradict each other.
    """
    found = {name: value for name, value in given.items() if value is not None}
    if data is None:
        if found:
            first = _OPTIONS[next(iter(found))]
            raise UsageError(f"--{first} is for int8 and bfloat16, which are judged on images of yours: give --data.")
        return None
    made = Lowering(precision="int8", data=data, say=say, **found)
    _require_sane(made)
    return made


_OPTIONS = {"split": "split", "max_drop": "max-drop", "calibration": "calibration", "seconds": "time"}
"""Field of `Lowering` -> the option of the command line."""


def _require_sane(asked: Lowering) -> None:
    if not (math.isfinite(asked.max_drop) and 0 < asked.max_drop <= 100):
        raise UsageError(f"--max-drop is {asked.max_drop:g}; give percentage points of top-1 above 0, such as 1.0.")
    if asked.calibration < 1:
        raise UsageError(f"--calibration is {asked.calibration}; give at least 1 image.")


def precision_named(text: str) -> ExportPrecision:
    """The precision of that name; UsageError, with the nearest one, where there is none."""
    known = get_args(ExportPrecision)
    if text in known:
        return text  # type: ignore[return-value]
    hint = did_you_mean(_SHORT.get(text.lower(), text), known, 0.3) or f"give {', '.join(known)}."
    raise UsageError(f"there is no precision {text!r}: {hint}")


_SHORT = {"bf16": "bfloat16", "fp32": "float32", "f32": "float32", "i8": "int8"}
"""What precisions are called elsewhere."""


def refuse_uncarried(form: ExportFormat, precision: ExportPrecision) -> None:
    """UsageError where a format cannot carry a precision."""
    if precision in CARRIED[form]:
        return
    forms = [name for name, carried in CARRIED.items() if precision in carried]
    raise UsageError(
        f"{form} files carry {' or '.join(CARRIED[form])} here, not {precision}: that is for {' and '.join(forms)}."
    )


def refuse_drop(asked: Lowering, drop: AccuracyDrop, kept: int = 0, layers: int = 0) -> None:
    """NumericError where the drop may be larger than allowed."""
    high = drop.interval[1]
    if high <= asked.max_drop:
        return
    back = f"; {kept} of {layers} layers were back in float32" if kept else ""
    needed = drop.images_needed(asked.max_drop)
    more = "" if needed is None else f", or --data with about {needed:,} images to evaluate on"
    raise NumericError(
        f"nothing was written: {asked.precision} may lose {high:.1f} points, more than --max-drop {asked.max_drop:g}: "
        f"{drop}{back}.\n"
        f"One point is {drop.images / 100:.1f} images. Give --max-drop {rounded_up(high)}{more}.\n"
        "More --time or --calibration images may help too; float32 loses nothing."
    )
