"""`triscale predict`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from triscale.cli.classifier import OWN, Weights, show_overrides
from triscale.cli.compute import HERE, Compute
from triscale.cli.output import Flag, Whole, complain, print_json, print_text, printable
from triscale.errors import InputError, UsageError

_GLOB = frozenset("*?[")


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
    run, images = (None, arguments) if weights.named else (arguments[0] if arguments else None, arguments[1:])
    if not images:
        raise UsageError("no picture given: triscale predict RUN IMAGE..., or --weights FILE IMAGE...")
    files = [file for image in images for file in _files(image)]
    classifier = weights.answering(run, compute)
    overrides = classifier.overrides_document()
    from triscale.predict import predictions  # noqa: PLC0415  torch is loaded only here

    found: list[dict[str, Any]] = []
    reasons = []
    for one in predictions(classifier, files, top=top, batch=batch):
        if one.reason is None:
            found.append({"image": str(one.image), "top": list(one.top)})
        else:
            reasons.append(f"the picture {printable(one.image)} cannot be read: {one.reason}.")
    if not found:
        raise InputError("\n".join([*reasons[:2], f"None of {len(files)} pictures could be read."]))
    for reason in reasons:
        complain(reason)
    if json:
        print_json([{**one, "overridden": overrides} if overrides else one for one in found])
    else:
        show_overrides(overrides)
        _show(found)


def _show(found: list[dict[str, Any]]) -> None:
    for one in found:
        print_text(
            printable(one["image"]), *(f"  {row['probability']:6.1%}  {printable(row['name'])}" for row in one["top"])
        )


def _files(image: str) -> Iterator[Path]:
    """The files that an argument means: itself, what lies below a folder, or what a pattern matches."""
    path = Path(image)
    if path.is_dir():
        found = [file for file in sorted(path.rglob("*")) if file.is_file() and not file.name.startswith(".")]
    elif _GLOB & set(image) and not path.exists():
        found = [file for file in _matches(path) if not file.is_dir()]
    else:
        found = [path]
    if not found:
        raise InputError(f"no picture at {printable(image)}.")
    yield from found


def _matches(pattern: Path) -> list[Path]:
    try:
        return sorted(Path(pattern.anchor or ".").glob(str(pattern.relative_to(pattern.anchor))))
    except ValueError as error:  # such as `photos/**.jpg` for Python 3.11
        raise UsageError(f"cannot read the pattern {printable(pattern)}: {error}.") from None
