"""`triscale evaluate`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from triscale import api
from triscale.cli.options.compute import HERE, Compute
from triscale.cli.options.weights import OWN, Weights, show_overrides
from triscale.cli.show.output import (
    Flag,
    Whole,
    complain,
    json_text,
    make_folder,
    print_json,
    print_table,
    print_text,
    printable,
    write_text,
)
from triscale.cli.show.progress.progress_lines import counting
from triscale.errors import OutputError, UsageError

if TYPE_CHECKING:
    from triscale.scores import Evaluation

_WORST = 20


def evaluate(
    run: Annotated[str | None, Parameter(name="RUN")] = None,
    /,
    *,
    data: str,
    weights: Weights = OWN,
    split: str | None = None,
    batch: Whole = 32,
    compute: Compute = HERE,
    out: Path | None = None,
    json: Flag = False,
) -> None:
    """Measure accuracy on a data set: top-1, top-5, each class.

    Every image counts once. Classes are matched by name, in any order; class folders may be named by WordNet ids. top-5
    needs five classes. Where classes have unequal numbers of images, balanced accuracy (the mean over classes) and
    macro F1 are shown too.

    Args:
        run: the folder of a finished run or study, or a checkpoint (.safetensors); not with --weights.
        data: class folders, an .npz file or pair, flowers, or any other that `triscale check` takes.
        weights: see `Weights`.
        split: test, val, train or all; by default test, else val, else all images of data without splits, except those
            that trained the weights or chose their epoch.
        batch: images a step.
        compute: see `Compute`.
        out: a folder to write evaluation.json and confusion.png into.
        json: print one JSON document instead of text.
    """
    if batch < 1:
        raise UsageError(f"--batch is {batch}; give at least 1.")
    if os.environ.get("WORLD_SIZE", "1") != "1":
        raise UsageError("evaluate computes in one process: start it without torchrun.")
    if run is None and not weights.named:
        raise UsageError("no weights given: triscale evaluate RUN --data D, or --weights FILE --data D.")
    if out is not None:
        make_folder(out)
    classifier = weights.answering(run, compute)
    with counting("images") as progress:
        found = api.evaluate(classifier, data, split=split, batch=batch, progress=progress)
    document = found.to_dict()
    if out is not None:
        _write(out, found, document)
    if json:
        print_json(document)
    else:
        _show(document, unequal=found.unequal)


def _write(out: Path, found: "Evaluation", document: dict[str, Any]) -> None:
    write_text(out / "evaluation.json", json_text(document) + "\n")
    if document["confusion"] is None:
        complain(f"no confusion.png: {len(found.classes)} classes are too many for an image.")
        return
    from triscale.explanation import confusion_picture  # noqa: PLC0415  torch is loaded only here

    try:
        confusion_picture(found.confusion, found.classes, _headline(document)).save(out / "confusion.png")
    except OSError as error:
        raise OutputError(f"cannot write {out / 'confusion.png'}: {error.strerror or error}.") from None


def _headline(document: dict[str, Any]) -> str:
    split = "" if document["split"] in ("all", "unseen") else f" ({document['split']})"
    one = document["top1"], document["top1_interval"]
    return f"{printable(document['data'])}{split}: {document['n']:,} images, top-1 {_percent(*one)}"


def _percent(value: float | None, interval: list[float] | None) -> str:
    if value is None or interval is None:
        return "-"
    return f"{value:.1%} ({interval[0]:.1%} to {interval[1]:.1%})"


def _show(document: dict[str, Any], *, unequal: bool) -> None:
    show_overrides(document["overridden"])
    seen = document["seen_in_training"]
    print_text(*([seen["text"]] if seen and seen["used"] else []), _headline(document))
    if document["top5"] is not None:
        print_text(f"top-5 {_percent(document['top5'], document['top5_interval'])}")
    if unequal:
        print_text(f"balanced accuracy {document['balanced_accuracy']:.1%}, macro F1 {document['macro_f1']:.1%}")
    rows = [row for row in document["classes"] if row["n"]]
    shown = rows if len(rows) <= _WORST else sorted(rows, key=lambda row: float(row["top1"]))[:_WORST]
    titles = ("class" if shown is rows else f"worst {_WORST} of {len(rows)} classes", "images", "top-1")
    print_table(
        titles,
        [(printable(row["name"]), f"{row['n']:,}", _percent(row["top1"], row["top1_interval"])) for row in shown],
    )
    print_text(*document["notes"])
