"""Picture files on the command line: which ones an argument means, and what is said of those that cannot be read."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from triscale.cli.output import complain, printable
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


def tell_unreadable(reasons: Sequence[tuple[Path, str]], files: int) -> None:
    """Name the pictures that were left out, each with its reason, on stderr; InputError where that is all of them."""
    lines = [f"the picture {printable(image)} cannot be read: {reason}." for image, reason in reasons]
    if len(reasons) == files:
        raise InputError("\n".join([*lines[:2], f"None of {files} pictures could be read."]))
    for line in lines:
        complain(line)


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
