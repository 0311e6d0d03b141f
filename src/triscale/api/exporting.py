"""Exported files: for the runtime that a name says, or for the one that is fastest here."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triscale.api.counted import whole
from triscale.api.given import model_classifier
from triscale.errors import OutputError, UsageError
from triscale.isa import MARCH, isa_named

if TYPE_CHECKING:
    from torch import nn

    from triscale.deploy import Export
    from triscale.weights import Classifier

Say = Callable[[str], None]


def export(
    weights: "str | Path | nn.Module | Classifier",
    out: str | Path,
    *,
    kind: str | None = None,
    batch: int | None = None,
    dynamic_size: bool = False,
    classes: Sequence[str] = (),
    override: Mapping[str, object] | None = None,
    network: str | None = None,
    precision: str = "float32",
    data: str | Path | None = None,
    split: str | None = None,
    max_drop: float | None = None,
    calibration: int | None = None,
    time: float | None = None,
    engine: str | None = None,
    threads: int | None = None,
    march: str | None = None,
    say: Callable[[str], None] | None = None,
) -> "Export":
    """Write a network for another runtime, with its preprocessing; nothing is written before it is proven to be equal.

    Args:
        weights, classes, override: see `predict`; a model stays as it is.
        network: which network the weights of a path are of, see `predict`.
        out: the file: .onnx, .pt2, .xml for OpenVINO (with .bin beside it), or .so for compiled code.
        kind: onnx, pt2, openvino or native; by default what the file's name says. "c": a folder of C++.
        batch: images in each step; by default any number.
        dynamic_size: take images of any size; not for networks with SAME padding.
        precision: float32, or int8 (.onnx, .xml) or bfloat16 (.xml), which are held to the accuracy of float32.
        data: of a lower precision: its training images calibrate int8, other images judge.
        split: of the data, that judges; by default the images that `evaluate` takes.
        max_drop: percentage points of top-1 that may be lost, 1.0 by default: where more may be, nothing is written.
        calibration: images that calibrate int8, 256 by default.
        time: seconds for finding layers that go back to float32 where int8 loses too much, 600 by default.
        engine: "auto" makes and measures the files of all engines and, with `data`, of the precisions that keep to
            `max_drop`, and writes the fastest; `out` is then without an ending. None: what the file's name says.
        threads: of arithmetic, for which the fastest is sought; 1 by default.
        march: for which processors code is compiled: generic, x86-64-v3 (AVX2) or x86-64-v4 (AVX-512); by default for
            this one, and C++ for all three.
        say: hears what is done for "auto" and for a lower precision.

    Raises:
        UsageError, InputError, NumericError, OutputError, StorageError: see `triscale.deploy.export`.
    """
    place, hears = Path(out), say or (lambda _: None)
    require_place(place, kind)
    steps = None if batch is None else whole("batch", batch)
    held = {"split": split, "max_drop": max_drop, "calibration": calibration, "seconds": time}
    if engine is not None:
        refuse_beside_auto(engine, kind, precision, march)
        write = _chooses(place, data, held, hears, batch=steps, dynamic_size=dynamic_size, threads=threads)
    elif threads is not None:
        raise UsageError("threads are for engine auto: the others run in as many as torch.")
    else:
        lower = {"precision": precision, "data": data, "given": held, "say": hears}
        write = _writes(place, kind, lower, march=march, batch=steps, dynamic_size=dynamic_size)
    with model_classifier(weights, classes, override, "is written already", network) as classifier:
        return write(classifier)


def refuse_beside_auto(engine: str, kind: str | None, precision: str, march: str | None = None) -> None:
    """UsageError where the engine is not to be chosen, or format, precision or processor are named beside."""
    if engine != "auto":
        raise UsageError(f"--engine is {engine!r}; give auto, or leave it out: the name of --out says the format.")
    if march is not None:
        raise UsageError("--engine auto measures here; --march is for other processors.")
    for option, named in (("format", kind is not None), ("precision", precision != "float32")):
        if named:
            raise UsageError(f"--engine auto chooses the {option}: leave --{option} out.")


def _chooses(
    place: Path, data: str | Path | None, held: Mapping[str, Any], say: Say, *, threads: int | None, **options: Any
) -> "Callable[[Classifier], Export]":
    """What writes the fastest file; mistakes in the options are found before."""
    from triscale.deploy import AutoRequest, export_fastest, lowering_of_auto, refuse_ending  # noqa: PLC0415  loads torch

    refuse_ending(place)
    most = 1 if threads is None else whole("threads", threads)
    request = AutoRequest(place=place, lowering=lowering_of_auto(data, held, say), threads=most, **options)
    return lambda classifier: export_fastest(classifier, request, say)


def _refuse_beside_c(lower: Mapping[str, Any], *, batch: object, dynamic_size: bool) -> None:
    """UsageError where options are given that a folder of C++ does not have."""
    held = (lower["data"], *lower["given"].values())
    for given, why in (
        (
            lower["precision"] != "float32" or any(one is not None for one in held),
            "C++ is exported in float32: leave --precision and its options out.",
        ),
        (batch is not None, "C++ takes any batch, which triscale_create names: leave --batch out."),
        (dynamic_size, "a compiled network has every size fixed; leave --dynamic-size out."),
    ):
        if given:
            raise UsageError(why)


def _writes_c(place: Path, march: str | None) -> "Callable[[Classifier], Export]":
    """What writes a folder of C++."""
    from triscale.deploy import export_c_folder  # noqa: PLC0415  torch is loaded only here

    isas = MARCH if march is None else (isa_named(march),)
    return lambda classifier: export_c_folder(classifier, place, isas=isas)


def _writes(
    place: Path, kind: str | None, lower: Mapping[str, Any], *, march: str | None, **options: Any
) -> "Callable[[Classifier], Export]":
    """What writes the file that its name says; mistakes in the options are found before."""
    if kind == "c":
        _refuse_beside_c(lower, **options)
        return _writes_c(place, march)
    from triscale.deploy import export as write  # noqa: PLC0415  torch is loaded only here
    from triscale.deploy import kind_of, lowering_from, refuse_uncarried  # noqa: PLC0415

    isa = None if march is None else isa_named(march)
    lowering = lowering_from(**lower)
    form = kind_of(place, kind)
    if lowering is not None:
        refuse_uncarried(form, lowering.precision)
    return lambda classifier: write(classifier, place, kind=kind, lowering=lowering, isa=isa, **options)


def require_place(out: Path, kind: str | None = None) -> None:
    """OutputError where a file, or with the kind "c" a folder, cannot be written, before any work."""
    if kind == "c":
        from triscale.deploy import refuse_other_files  # noqa: PLC0415  torch is loaded only here

        refuse_other_files(out)
        return
    if not out.parent.is_dir():
        raise OutputError(f"cannot write {out}: the folder {out.parent} does not exist.")
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise OutputError(f"cannot write {out}: it is a folder, or its folder cannot be written to.")
