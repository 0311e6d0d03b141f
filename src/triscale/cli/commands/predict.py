"""`triscale predict`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from triscale.cli.options.compute import HERE, Compute
from triscale.cli.options.picture_files import run_and_pictures, tell_answers
from triscale.cli.options.weights import OWN, Weights
from triscale.cli.show.output import Flag, Whole, print_text, printable
from triscale.errors import UsageError

if TYPE_CHECKING:
    from triscale.prediction import Prediction


def predict(
    *arguments: Annotated[str, Parameter(name="RUN IMAGE")],
    weights: Weights = OWN,
    top: Whole = 5,
    batch: Whole = 16,
    compute: Compute = HERE,
    json: Flag = False,
) -> None:
    """Predict the classes of images: triscale predict RUN IMAGE...

    Images are preprocessed as in training. An image that cannot be read is named on stderr and left out; the exit code
    is 65 only if none could be read.

    Args:
        arguments: the folder of a finished run or study, or a checkpoint (.safetensors), unless --weights or --network
            is given; then image files, folders, or patterns such as 'photos/**/*.jpg'.
        weights: see `Weights`.
        top: how many classes to print.
        batch: images a step.
        compute: see `Compute`.
        json: print one JSON document instead of text.
    """
    for name, value in (("--top", top), ("--batch", batch)):
        if value < 1:
            raise UsageError(f"{name} is {value}; give at least 1.")
    run, files = run_and_pictures("predict", arguments, named=weights.named)
    classifier = weights.answering(run, compute)
    overrides = classifier.overrides_document()
    from triscale.prediction import predictions  # noqa: PLC0415  torch is loaded only here

    answers = predictions(classifier, files, top=top, batch=batch)
    tell_answers(answers, _document, _show, overrides=overrides, json=json)


def _document(one: "Prediction[Path]") -> dict[str, Any]:
    return {"image": str(one.image), "top": [guess.to_dict() for guess in one.top]}


def _show(one: dict[str, Any]) -> None:
    print_text(
        printable(one["image"]), *(f"  {row['probability']:6.1%}  {printable(row['name'])}" for row in one["top"])
    )
