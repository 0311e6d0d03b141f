"""Where output goes: results to stdout as text or as one JSON document, everything else to stderr."""

import io
import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token

from triscale.errors import NumericError, OutputError

Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
"""An option that is there or not; cyclopts would add a --no-... to each."""


def _whole(kind: object, tokens: Sequence[Token]) -> int:
    del kind
    text = tokens[0].value
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text, re.ASCII):
        raise ValueError(f'"{text}" is not a whole number')
    return int(text)


_NUMBERS = re.compile(r"\[\s+(-?[0-9][-+.0-9eE]*(?:,\s+-?[0-9][-+.0-9eE]*)*)\s+\]")
Whole = Annotated[int, Parameter(converter=_whole)]
"""A whole number; cyclopts would take 1.5 for 1."""


def degrade() -> None:
    """What the encoding of the terminal lacks is printed by its number: no class name may end a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def abandon() -> None:
    """Nobody reads what we print any more; what is still buffered would raise once more at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nowhere, stream.fileno())


def print_json(document: Any) -> None:
    """One JSON document on stdout, by the standard: no NaN, no Infinity."""
    print(json_text(document))


def json_text(document: Any) -> str:
    """Indented JSON; a list of numbers stands on one line."""
    try:
        text = json.dumps(document, indent=2, allow_nan=False)
    except ValueError as error:
        raise NumericError(f"the result holds a number that is not finite ({error})") from None
    return _NUMBERS.sub(lambda match: f"[{' '.join(match[1].split())}]", text)


def printable(path: str | Path) -> str:
    """A file's name for people: what is not text, such as a newline or a byte that is not UTF-8, is escaped."""
    text = os.fspath(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def print_text(*lines: str) -> None:
    """Lines on stdout."""
    for line in lines:
        print(line)


def complain(message: str) -> None:
    """A line for people on stderr; where nobody reads there any more, nobody misses it."""
    try:
        print(f"triscale: {message}", file=sys.stderr, flush=True)
    except BrokenPipeError:
        abandon()


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on stdout, never cut; columns whose cells begin with a digit or a sign are flush right."""
    cells = [list(row) for row in rows]
    widths = [max(len(row[column]) for row in [list(titles), *cells]) for column in range(len(titles))]
    right = [bool(cells) and all(row[i][:1] in "0123456789+-" for row in cells) for i in range(len(titles))]
    for row in [list(titles), *cells]:
        padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True))
        print_text("  ".join(padded).rstrip())


def write_text(path: Path, text: str) -> None:
    """Write a file that the user wants."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}.") from None


def make_folder(out: Path) -> None:
    """Create a folder for the output and show that it can be written into, before any work; OutputError else."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(f"cannot write into {out}: {error.strerror or error}.") from None
