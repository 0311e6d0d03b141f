"""The store of trials: one file of JSON lines in a folder, written by one process under one lock.

A line counts once its newline is on disk. A kill can only tear the last line: reading leaves it out and says so,
opening for writing removes it first.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from triscale._version import __version__
from triscale.errors import BusyError, InputError, NumericError, StorageError
from triscale.lock import locked
from triscale.spec import AnyNetwork
from triscale.trials.legacy import converted
from triscale.trials.lines import (
    SCHEMA,
    AnyLine,
    EpochLine,
    Shared,
    StoreLine,
    TrialLine,
    decoded,
    encoded,
)
from triscale.trials.study_records import Line
from triscale.trials.tail import is_old, may_begin, whole_lines
from triscale.trials.trial import Epoch, Trial

RECORDS = "records.jsonl"
_OPEN: set[Path] = set()
"""Folders whose store this process has open."""
_Kind = TypeVar("_Kind", bound=Line)


class Stored:
    """What a store holds: trials by key, in the order in which they first came, and the records of a search.

    Attributes:
        torn: whether a crash cut the last line, which is left out.
    """

    def __init__(self) -> None:
        self.torn = False
        self._shared = Shared()
        self._trials: dict[str, TrialLine] = {}
        self._records: list[Line] = []

    def __len__(self) -> int:
        return len(self._trials)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} trials)"

    def __contains__(self, key: str) -> bool:
        return key in self._trials

    def __iter__(self) -> Iterator[Trial]:
        return map(self._shared.trial, self._trials.values())

    def trial(self, key: str) -> Trial:
        """The trial of a key; KeyError where there is none."""
        return self._shared.trial(self._trials[key])

    def network(self, id_: str) -> AnyNetwork:
        """The network of a content hash; InputError where there is none."""
        return self._shared.network(id_)

    def by_network(self) -> dict[str, list[Trial]]:
        """Trials by the content hash of their network; oldest first."""
        found: dict[str, list[Trial]] = {}
        for line in self._trials.values():
            found.setdefault(line.network, []).append(self._shared.trial(line))
        return found

    def all(self, kind: type[_Kind]) -> list[_Kind]:
        """The records of a kind, oldest first."""
        return [one for one in self._records if isinstance(one, kind)]

    def one(self, kind: type[_Kind]) -> _Kind | None:
        """The latest record of a kind; None without any."""
        return next((one for one in reversed(self._records) if isinstance(one, kind)), None)

    def _take(self, line: AnyLine) -> None:
        if isinstance(line, TrialLine):
            self._trials[line.key] = line
        elif isinstance(line, EpochLine):
            self._complete(line)
        elif not isinstance(line, StoreLine) and not self._shared.take(line):
            self._records.append(line)

    def _complete(self, line: EpochLine) -> None:
        """Add an epoch to its trial."""
        trial = self._trials.get(line.key)
        if trial is None:
            raise InputError(f"the store has an epoch of a trial {line.key[:12]} that it does not hold.")
        self._trials[line.key] = msgspec.structs.replace(trial, history=(*trial.history, line.value))


class TrialStore(Stored):
    """A store open for writing; entering takes the lock of its folder, and creates that where it is missing.

    The file begins with its first record: who only looks, or fails before, leaves none.

    Raises:
        BusyError: another process has it open.
        InputError: it is damaged, or was written by a newer version, or by 0.1, which only reading converts.
        OutputError, StorageError: the folder or the file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.path = folder, folder / RECORDS
        self._file: FileIO | None = None
        self._end, self._open = 0, False
        self._held = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(locked(self.folder))
            stack.enter_context(_alone(self.folder))
            intact, old = _loaded(self, self.path) if self.path.exists() else (0, False)
            if old:
                raise InputError(
                    f"{self.path} was written by triscale 0.1, which can be read and reported but not resumed.\n"
                    "Use another --out, or resume it with triscale 0.1."
                )
            if self.path.exists():
                self._file = stack.enter_context(_opened(self.path, intact))
            self._end, self._open = intact, True
            self._held = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()
        self._file, self._open = None, False

    def put(self, *trials: Trial) -> None:
        """Write trials as they stand now; on return they are on disk.

        Raises:
            NumericError: a number is not finite.
            StorageError: writing failed; the file is as it was before.
        """
        lines = [line for trial in trials for line in self._shared.lines_for(trial)]
        self._write(lines)
        for line in lines:
            self._take(line)  # type: ignore[arg-type]  # lines of trials

    def put_epoch(self, key: str, epoch: Epoch) -> None:
        """Write an epoch that a running trial has completed."""
        line = EpochLine(key=key, value=epoch)
        self._write([line])
        self._complete(line)

    def add(self, record: Line, networks: Iterable[AnyNetwork] = ()) -> None:
        """Write a record of a search, and the networks that it names."""
        new = [line for network in networks for line in self._shared.lines_for_network(network)]
        self._write([*new, record])
        self._records.append(record)

    def _write(self, lines: list[Line]) -> None:
        if not self._open:
            raise RuntimeError("the store is not open")
        try:
            first = [] if self._end else [StoreLine(schema=SCHEMA, triscale=__version__)]
            data = b"".join(map(encoded, [*first, *lines]))
            self._append(data)
        except NumericError:
            self._shared.forget(lines)
            raise
        except OSError as error:
            self._shared.forget(lines)
            self._undo()
            raise StorageError(f"{self.path}: the record was not written: {error.strerror or error}.") from error
        self._end += len(data)

    def _append(self, data: bytes) -> None:
        """Write behind the intact lines; on return the bytes are on disk."""
        if self._file is None:
            self._file = self._held.enter_context(_opened(self.path, 0))
        self._file.seek(self._end)
        while data:
            data = data[self._file.write(data) :]
        os.fsync(self._file.fileno())

    def _undo(self) -> None:
        """Remove what a failed write left; the next opening removes what cannot be removed now."""
        with suppress(OSError):
            if self._file is not None:
                self._file.truncate(self._end)
            if not self._end:
                self.path.unlink(missing_ok=True)
                self._file = None


def read(where: str | Path) -> Stored:
    """What the store in a folder (or its file) holds, without its lock: another process may be writing it.

    Files of triscale 0.1 are converted.

    Raises:
        InputError: there is none, it is damaged, or a newer version wrote it.
        StorageError: it cannot be read.
    """
    found, where = Stored(), Path(where)
    _loaded(found, where if where.is_file() else where / RECORDS)
    return found


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Whoever holds a folder may open its store once; BusyError where this thread has opened it already."""
    place = folder.resolve()
    if place in _OPEN:
        raise BusyError(f"the store in {folder} is open in this process already; close it first.")
    _OPEN.add(place)
    try:
        yield
    finally:
        _OPEN.discard(place)


def _opened(path: Path, intact: int) -> FileIO:
    """For writing behind the intact lines; a torn line is removed."""
    try:
        file = FileIO(path, "r+b" if path.exists() else "x+b")
        file.truncate(intact)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}.") from error
    return file


def _loaded(store: Stored, path: Path) -> tuple[int, bool]:
    """Fill the store from the file; the bytes of its intact lines, and whether 0.1 wrote it."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such record file; give the folder of a run, a study or a search.") from None
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror or error}.") from error
    lines, rest = whole_lines(content)
    store.torn = bool(rest)
    if not lines and not may_begin(rest):
        raise InputError(f"{path} holds no records of triscale.")
    if lines and is_old(lines[0]):
        for line in converted(path, lines):
            store._take(line)  # noqa: SLF001  a function of this module
        return len(content) - len(rest), True
    for number, text in enumerate(lines, 1):
        store._take(_line(path, number, text))  # noqa: SLF001
    return len(content) - len(rest), False


def _line(path: Path, number: int, text: bytes) -> AnyLine:
    try:
        line = decoded(text)
    except InputError as error:
        raise InputError(f"{path}, line {number}: {error}.") from None
    if isinstance(line, StoreLine) and line.schema != SCHEMA:
        raise InputError(
            f"{path} was written by a newer triscale (schema {line.schema}; this one reads {SCHEMA}).\n"
            f"Use triscale {line.triscale} or newer."
        )
    if number == 1 and not isinstance(line, StoreLine):
        raise InputError(f"{path} does not begin with the line of a store.")
    return line
