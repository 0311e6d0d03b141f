"""Append-only run records: one JSON object a line; a line counts once its newline is on the disk.

A kill or a power cut can only tear the last line. Reading drops a torn line and says so; appending cuts it off first,
so that the next record never grows onto its remains.
"""

import json
import os
from collections.abc import Iterable, Mapping
from io import FileIO
from pathlib import Path
from typing import Any

from triscale.errors import InputError, NumericError, StorageError

Record = dict[str, Any]

_BLOCK = 64 * 1024


class Records(list[Record]):
    """The records of a run in the order in which they were written.

    Attributes:
        torn: whether the last line was cut by a crash and has been left out.
    """

    def __init__(self, lines: Iterable[Record] = (), *, torn: bool = False) -> None:
        super().__init__(lines)
        self.torn = torn

    def all(self, kind: str) -> list[Record]:
        """Every record of a kind."""
        return [record for record in self if record.get("kind") == kind]

    def one(self, kind: str) -> Record | None:
        """The record of a kind that is written once (the latest, should there be more); None if missing."""
        return next((record for record in reversed(self) if record.get("kind") == kind), None)


def append(path: Path, record: Mapping[str, Any]) -> None:
    """Write one record as the last line of `path` and return when it is on the disk; a torn last line is cut off first.

    Raises:
        NumericError: the record holds a number that is not finite, which JSON cannot hold.
        StorageError: the file cannot be opened or written.
    """
    try:
        line = json.dumps(record, allow_nan=False, separators=(",", ":")).encode() + b"\n"
    except ValueError as error:
        kind = record.get("kind", "?")
        raise NumericError(
            f"{path}: a `{kind}` record holds a number that is not finite; it was not written"
        ) from error
    try:
        path.touch()
        with path.open("r+b", buffering=0) as file:
            end = _intact_end(file)
            file.truncate(end)
            file.seek(end)
            _write_whole(file, line)
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(f"{path}: the record was not written: {error.strerror or error}") from error


def read(path: Path) -> Records:
    """Read all records; a torn last line is left out and reported in `Records.torn`.

    Raises:
        InputError: there is no such file, or a line before the last one is not a JSON object.
        StorageError: the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such record file; is its folder a run folder?") from error
    except OSError as error:
        raise StorageError(f"{path}: the records cannot be read: {error.strerror or error}") from error
    *lines, rest = content.split(b"\n")
    records = [_parse(line) for line in lines]
    torn = bool(rest)
    if records and records[-1] is None:
        records.pop()
        torn = True
    intact = [record for record in records if record is not None]
    if len(intact) < len(records):
        number = records.index(None) + 1
        raise InputError(f"{path}, line {number}: not a JSON object; only the last line may be damaged by a crash")
    return Records(intact, torn=torn)


def _parse(line: bytes) -> Record | None:
    """The JSON object in a line; None where there is none."""
    try:
        value = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _intact_end(file: FileIO) -> int:
    """The offset behind the last intact line; read backwards, since a search appends thousands of times."""
    start, tail = file.seek(0, os.SEEK_END), b""
    # Two newlines in sight: the one that ends the last whole line and the one before it.
    while start > 0 and tail.count(b"\n") < 2:
        block = min(_BLOCK, start)
        start -= block
        file.seek(start)
        tail = file.read(block) + tail
    whole = tail.rfind(b"\n") + 1
    before = tail.rfind(b"\n", 0, max(whole - 1, 0)) + 1
    intact = whole == 0 or _parse(tail[before:whole]) is not None
    return start + (whole if intact else before)


def _write_whole(file: FileIO, data: bytes) -> None:
    """One write; more only where the system takes it in parts (a disk that fills up raises on the next part)."""
    while data:
        data = data[file.write(data) :]
