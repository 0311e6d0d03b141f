"""Image files on the command line: which ones an argument means, and what is said about those that cannot be read."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from triscale.cli.options.weights import show_overrides
from triscale.cli.show.output import complain, print_json, printable
from triscale.errors import InputError, UsageError


def run_and_pictures(command: str, arguments: Sequence[str], *, named: bool) -> tuple[str | None, list[Path]]:
    """The run that stands in front, unless options name the weights, and the image files behind it.

    Raises:
        UsageError: no image is given, or a pattern cannot be read.
        InputError: nothing there.
    """
    run, images = (None, arguments) if named else (arguments[0] if arguments else None, arguments[1:])
    if not images:
        raise UsageError(f"no image given: triscale {command} RUN IMAGE..., or --weights FILE IMAGE...")
    from triscale.data.names.places import picture_files  # noqa: PLC0415  decoders are loaded only here

    return run, [file for image in images for file in picture_files(image)]


class Answer(Protocol):
    """What is found for one image, or why it cannot be read."""

    @property
    def image(self) -> Path:
        """The file."""

    @property
    def reason(self) -> str | None:
        """Why it cannot be read; None where it can."""


AnyAnswer = TypeVar("AnyAnswer", bound=Answer)


def tell_answers(
    answers: Iterable[AnyAnswer],
    document: Callable[[AnyAnswer], dict[str, Any]],
    show: Callable[[dict[str, Any]], None],
    *,
    overrides: dict[str, Any],
    json: bool,
) -> None:
    """Print what is found for images; on stderr, name those that were left out, each with its reason.

    Args:
        answers: one an image.
        document: what is printed of an answer with --json; made as soon as the answer is there.
        show: prints such a document as text.
        overrides: what differs from the preprocessing of the weights, which is reported too.
        json: print one JSON document.

    Raises:
        InputError: none of them could be read.
    """
    found = documents_of(answers, document)
    if json:
        print_json([{**one, "overridden": overrides} if overrides else one for one in found])
        return
    show_overrides(overrides)
    for row in found:
        show(row)


def documents_of(answers: Iterable[AnyAnswer], document: Callable[[AnyAnswer], dict[str, Any]]) -> list[dict[str, Any]]:
    """What is found for the images that can be read; on stderr, name those that were left out, each with its reason.

    Raises:
        InputError: none of them could be read.
    """
    found: list[dict[str, Any]] = []
    lines: list[str] = []
    for one in answers:
        if one.reason is None:
            found.append(document(one))
        else:
            lines.append(f"the image {printable(one.image)} cannot be read: {one.reason}.")
    if not found:
        raise InputError("\n".join([*lines[:2], f"None of the {len(lines)} images could be read."]))
    for line in lines:
        complain(line)
    return found
