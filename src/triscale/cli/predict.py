"""`triscale predict`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from triscale import api
from triscale.cli.output import Flag, Whole, complain, print_json, print_text
from triscale.errors import InputError, UsageError

_GLOB = frozenset("*?[")


def predict(
    run: Annotated[str, Parameter(name="RUN")],
    /,
    *images: Annotated[str, Parameter(name="IMAGE")],
    top: Whole = 5,
    json: Flag = False,
) -> None:
    """Say what pictures show, most probable class first.

    A picture that cannot be read is named on stderr and left out; the exit code is 65 only if none could be read.

    Args:
        run: the folder of a finished study, or a checkpoint (.safetensors).
        images: picture files, folders of pictures, or patterns such as 'photos/*.jpg'.
        top: how many classes to print.
        json: print one JSON document instead of text.
    """
    if top < 1:
        raise UsageError(f"--top is {top}; give at least 1.")
    if not images:
        raise UsageError("no picture given: triscale predict RUN IMAGE...")
    files = [file for image in images for file in _files(image)]
    checkpoint = api.checkpoint_path(run)
    from triscale.predict import load_classifier  # noqa: PLC0415  torch is loaded only here

    classifier = load_classifier(checkpoint)
    found: list[tuple[str, list[dict[str, Any]]]] = []
    reasons = []
    for file in files:
        try:
            found.append((str(file), classifier(file)[:top]))
        except InputError as error:
            reasons.append(str(error).splitlines()[0])
    if not found:
        raise InputError("\n".join([*reasons[:2], f"None of {len(files)} pictures could be read."]))
    for reason in reasons:
        complain(reason)
    if json:
        print_json([{"image": image, "top": rows} for image, rows in found])
        return
    for image, rows in found:
        print_text(image, *(f"  {row['probability']:6.1%}  {row['name']}" for row in rows))


def _files(image: str) -> Iterator[Path]:
    """The files that an argument means: itself, what lies below a folder, or what a pattern matches."""
    path = Path(image)
    if path.is_dir():
        found = [file for file in sorted(path.rglob("*")) if file.is_file() and not file.name.startswith(".")]
    elif _GLOB & set(image) and not path.exists():
        found = sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))))
    else:
        found = [path]
    if not found:
        raise InputError(f"no picture at {image}.")
    yield from found
