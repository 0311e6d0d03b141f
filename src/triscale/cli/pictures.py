"""Picture files on the command line: which ones an argument means, and what is said of those that cannot be read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from triscale.cli.classifier import show_overrides
from triscale.cli.output import complain, print_json, printable
from triscale.errors import InputError, UsageError

_GLOB = frozenset("*?[")


def run_and_pictures(command: str, arguments: Sequence[str], *, named: bool) -> tuple[str | None, list[Path]]:
    """The run that stands in front, unless options name the weights, and the picture files behind it.

    Raises:
        UsageError: no picture is given, or a pattern cannot be read.
        InputError: nothing there.
    """
    run, images = (None, arguments) if named else (arguments[0] if arguments else None, arguments[1:])
    if not images:
        raise UsageError(f"no picture given: triscale {command} RUN IMAGE..., or --weights FILE IMAGE...")
    return run, [file for image in images for file in _files(image)]


class Answer(Protocol):
    """What is found for one picture, or why it cannot be read."""

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
    """Print what is found for pictures; on stderr, name those that were left out, each with its reason.

    Args:
        answers: one a picture.
        document: what is printed of an answer with --json; made as soon as the answer is there.
        show: prints such a document as text.
        overrides: what differs from the preprocessing of the weights, which is told too.
        json: print one JSON document.

    Raises:
        InputError: none of them could be read.
    """
    found: list[dict[str, Any]] = []
    lines: list[str] = []
    for one in answers:
        if one.reason is None:
            found.append(document(one))
        else:
            lines.append(f"the picture {printable(one.image)} cannot be read: {one.reason}.")
    if not found:
        raise InputError("\n".join([*lines[:2], f"None of {len(lines)} pictures could be read."]))
    for line in lines:
        complain(line)
    if json:
        print_json([{**one, "overridden": overrides} if overrides else one for one in found])
        return
    show_overrides(overrides)
    for row in found:
        show(row)


def _files(image: str) -> Iterator[Path]:
    """The files that an argument means: itself, what lies below a folder, or what a pattern matches."""
    path = Path(image)
    if path.is_dir():
        from triscale.data.places import refuse_no_data_set  # noqa: PLC0415  decoders are loaded only here

        refuse_no_data_set(path)
        found = [file for file in sorted(path.rglob("*")) if file.is_file()]
    elif _GLOB & set(image) and not path.exists():
        found = [file for file in _matches(path) if not file.is_dir()]
    else:
        yield path
        return
    found = [file for file in found if not _ignored(path, file)]
    if not found:
        raise InputError(f"no picture at {printable(image)}.")
    yield from found


def _ignored(given: Path, file: Path) -> bool:
    """Whether the file is hidden or litter, or lies in such a folder; a name in the argument itself is no reason."""
    from triscale.data.litter import is_ignored, is_litter  # noqa: PLC0415  decoders are loaded only here

    hidden = any(part.startswith(".") and part.strip(".") for part in given.parts)
    ignored = is_litter if hidden else is_ignored
    return any(ignored(part) for part in file.parts if part not in given.parts)


def _matches(pattern: Path) -> list[Path]:
    try:
        return sorted(Path(pattern.anchor or ".").glob(str(pattern.relative_to(pattern.anchor))))
    except ValueError as error:  # such as `photos/**.jpg` for Python 3.11
        raise UsageError(f"cannot read the pattern {printable(pattern)}: {error}.") from None
