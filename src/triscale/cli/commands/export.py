"""`triscale export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from triscale import api
from triscale.cli.options.compute import Compute
from triscale.cli.options.lower_precision import FLOAT32, LowerPrecision
from triscale.cli.options.weights import OWN, Weights, show_overrides
from triscale.cli.show.lower_lines import lowered_lines, show_choice, speed_line, untimed_line
from triscale.cli.show.output import Flag, Whole, print_json, print_text, printable
from triscale.cli.show.progress.progress_lines import remark
from triscale.cli.signals import terminable
from triscale.errors import UsageError
from triscale.spec import preprocessing_to_dict, value_text
from triscale.units import memory

if TYPE_CHECKING:
    from triscale.deploy import Export
    from triscale.weights import Classifier

DYNAMIC = "dynamic"


def export(
    run: Annotated[str | None, Parameter(name="RUN")] = None,
    /,
    *,
    out: Path,
    weights: Weights = OWN,
    kind: Annotated[str | None, Parameter(name=("--format", "--to"))] = None,
    batch: str = DYNAMIC,
    dynamic_size: Flag = False,
    lower: LowerPrecision = FLOAT32,
    engine: str | None = None,
    threads: Whole | None = None,
    march: str | None = None,
    json: Flag = False,
) -> None:
    """Export a network to ONNX, torch.export, OpenVINO or compiled code.

    The file contains the preprocessing. Before it is written it runs on 100 random images and must give the network's
    logits within 1e-5 of the largest, else the exit code is 70. `predict`, `evaluate` and `serve` take the file.

    An int8 or bfloat16 file may lose at most --max-drop points on the images that --data holds back, and is timed
    beside float32. --engine auto makes and times the files of all engines, and writes the fastest.

    Args:
        run: the folder of a finished run or study, or a checkpoint (.safetensors); not with --weights or --network.
        out: the file to write: .onnx, .pt2, .xml for OpenVINO (with .bin beside it), or .so for compiled code; with
            --engine auto its name without the ending; with --to c a folder.
        weights: see `Weights`.
        kind: onnx, pt2, openvino or native, by default by the ending of the file; c for a folder of C++ that is built
            on another machine.
        batch: images a step: dynamic, or a number.
        dynamic_size: take images of any size; not for networks with SAME padding, which depends on the size.
        lower: see `LowerPrecision`.
        engine: auto, which measures what is fastest here; else the name of --out decides.
        threads: of arithmetic that --engine auto measures, 1 by default.
        march: the processors that compiled code is for: generic, x86-64-v3 (AVX2) or x86-64-v4 (AVX-512); by default
            this one, and for C++ all three.
        json: print one JSON document instead of text.
    """
    if not (batch == DYNAMIC or (batch.isascii() and batch.isdecimal() and int(batch) > 0)):
        raise UsageError(f"--batch is {batch!r}; give dynamic, or a number of images.")
    api.require_place(out, kind)  # before the weights are read
    options = {**lower.options(), "engine": engine, "threads": threads, "march": march}
    _refuse_name(out, kind, engine)
    classifier = weights.classifier(run, Compute(device="cpu"))
    size = None if batch == DYNAMIC else int(batch)
    with terminable():
        made = api.export(classifier, out, kind=kind, batch=size, dynamic_size=dynamic_size, say=remark, **options)
    if json:
        print_json(_document(made, classifier))
    else:
        show_overrides(classifier.overrides_document())
        _show(made)


def _refuse_name(out: Path, kind: str | None, engine: str | None) -> None:
    """UsageError where the name of the file cannot be that of an export."""
    from triscale.deploy import C_FOLDER, kind_of, refuse_ending  # noqa: PLC0415  torch is loaded only here

    if engine is None and kind != C_FOLDER:
        kind_of(out, kind)
    elif engine is not None:
        refuse_ending(out)


def _document(made: "Export", classifier: "Classifier") -> dict[str, Any]:
    about = made.about
    return {
        "network": about.network.name,
        "files": [{"file": str(path), "bytes": count} for path, count in made.files.items()],
        "classes": len(about.classes),
        "resolution": list(about.size),
        "batch": about.batch or DYNAMIC,
        "least": about.least and list(about.least),
        "preprocessing": preprocessing_to_dict(about.preprocessing),
        "overridden": classifier.overrides_document(),
        "proof": made.proof.to_dict(),
        "precision": about.precision,
        "accuracy": made.lowered and made.lowered.to_dict(),
        "speed": made.speed and made.speed.to_dict(),
        "untimed": made.untimed,
        "choice": made.choice and made.choice.to_dict(),
        "build": made.build,
    }


def _show(made: "Export") -> None:
    about = made.about
    if made.choice is not None:
        show_choice(made.choice)
    batch = "any batch" if about.batch is None else f"batches of {about.batch}"
    size = f"{value_text(about.size)} px" if about.least is None else f"any size from {value_text(about.least)} px on"
    for path, count in made.files.items():
        print_text(f"{printable(path)}: {memory(count)}")
    precision = "" if about.precision == "float32" else f", {about.precision}"
    print_text(
        f"{about.network.name}, {len(about.classes)} classes, {size}, {batch}{precision}",
        f"{made.proof.runtime}: {made.proof}",
        *([] if made.lowered is None else lowered_lines(about.precision, made.lowered)),
        *([] if made.speed is None else [speed_line(about.precision, made.speed)]),
        *([] if made.untimed is None else [untimed_line(about.precision, made.untimed)]),
        *([] if made.build is None else [f"To build it, in its folder: {made.build}"]),
    )
