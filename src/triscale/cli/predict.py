"""`triscale predict`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from triscale.cli.classifier import OWN, Weights
from triscale.cli.compute import HERE, Compute
from triscale.cli.output import Flag, Whole, print_text, printable
from triscale.cli.pictures import run_and_pictures, tell_answers
from triscale.errors import UsageError

if TYPE_CHECKING:
    from triscale.predict import Prediction


def predict(
    *arguments: Annotated[str, Parameter(name="RUN IMAGE")],
    weights: Weights = OWN,
    top: Whole = 5,
    batch: Whole = 16,
    compute: Compute = HERE,
    json: Flag = False,
) -> None:
    """Say what pictures show, most probable class first: triscale predict RUN IMAGE...

    A picture that cannot be read is named on stderr and left out; the exit code is 65 only if none could be read.
    Pictures are prepared as those that the weights were trained on.

    Args:
        arguments: the folder of a finished study, or a checkpoint (.safetensors); not with --weights or --network.
            Then picture files, folders of pictures, or patterns such as 'photos/**/*.jpg'.
        weights: see `Weights`.
        top: how many classes to print.
        batch: pictures a step.
        compute: see `Compute`.
        json: print one JSON document instead of text.
    """
    for name, value in (("--top", top), ("--batch", batch)):
        if value < 1:
            raise UsageError(f"{name} is {value}; give at least 1.")
    run, files = run_and_pictures("predict", arguments, named=weights.named)
    classifier = weights.answering(run, compute)
    overrides = classifier.overrides_document()
    from triscale.predict import predictions  # noqa: PLC0415  torch is loaded only here

    answers = predictions(classifier, files, top=top, batch=batch)
    tell_answers(answers, _document, _show, overrides=overrides, json=json)


def _document(one: "Prediction[Path]") -> dict[str, Any]:
    return {"image": str(one.image), "top": [guess.to_dict() for guess in one.top]}


def _show(one: dict[str, Any]) -> None:
    print_text(
        printable(one["image"]), *(f"  {row['probability']:6.1%}  {printable(row['name'])}" for row in one["top"])
    )
