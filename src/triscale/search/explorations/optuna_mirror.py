"""The trials of a search in a storage of Optuna, so that its dashboard shows them while the search runs.

It is a mirror and nothing reads from it: the search's own store decides. All writing happens in a thread of its own, so
that a storage that hangs or fails holds up no training; what it missed comes with the next thing that is shown.
"""

from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, NamedTuple

from triscale.errors import InputError
from triscale.search.samplers import Value

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial, TrialState

PATIENCE = 30.0
"""Seconds that the end of a search waits for the storage."""
_NUMBER = "proposal"
_TURN = Lock()
"""Held by the thread that writes: one that was given up may still write a trial, which the next must see."""


class Axis(NamedTuple):
    """A number that Optuna shows of a trial: its name, and whether more of it is better."""

    name: str
    maximised: bool


class Shown(NamedTuple):
    """A trial as the storage shall show it.

    Attributes:
        number: of the proposal.
        chosen: its choices.
        state: `RUNNING`, `COMPLETE`, `PRUNED` or `FAIL`, as Optuna names them.
        values: one for each axis; None unless complete.
        about: further facts, by name.
    """

    number: int
    chosen: Mapping[str, Value]
    state: str
    values: tuple[float, ...] | None
    about: Mapping[str, Value]


class OptunaMirror:
    """Writes trials into a study of a storage, each once, and says once if that fails.

    Args:
        url: of the storage, as SQLAlchemy writes it: sqlite:///file.db, postgresql://user@host/database.
        study: its name there; the same name continues the same study.
        choices: of the space.
        axes: of the values.
        say: hears a warning.

    Raises:
        InputError: Optuna or the driver of the database is not installed, or the URL is none.
    """

    def __init__(
        self,
        url: str,
        study: str,
        choices: Mapping[str, Sequence[Value]],
        axes: Sequence[Axis],
        say: Callable[[str], None],
    ) -> None:
        try:
            import optuna  # noqa: F401, PLC0415  an extra; its absence is said before anything is trained
        except ImportError:
            raise InputError("--optuna-storage needs Optuna: pip install 'triscale[optuna]'.") from None
        _require_driver(url)
        self._url, self._name, self._choices, self._axes, self._say = url, study, choices, tuple(axes), say
        self._rows: SimpleQueue[Sequence[Shown] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._given_up = Event()
        self._open: _OpenStudy | None = None
        self._warned = False

    def show(self, rows: Sequence[Shown]) -> None:
        """All trials as they stand now, in the order of their numbers; returns at once."""
        if self._thread is None:
            self._thread = Thread(target=self._work, name="optuna-storage", daemon=True)
            self._thread.start()
        self._rows.put(rows)

    def close(self) -> None:
        """Wait until all is written, at most 30 s."""
        if self._thread is None:
            return
        self._rows.put(None)
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            self._given_up.set()
            self._warn("it does not answer")

    def _work(self) -> None:
        with _TURN:
            last = False
            while not last:
                rows, last = self._latest()
                self._write(rows or ())
            self._let_go()

    def _write(self, rows: Sequence[Shown]) -> None:
        try:
            for row in rows:
                if self._given_up.is_set():
                    return
                self._open = self._open or _OpenStudy(self._url, self._name, self._choices, self._axes)
                self._open.write(row)
        except Exception as error:  # noqa: BLE001  of any database driver: the search goes on
            self._let_go()
            self._warn(f"{type(error).__name__}: {error}")

    def _latest(self) -> tuple[Sequence[Shown] | None, bool]:
        """The newest rows, and whether they are the last: what was shown before is part of them."""
        rows = self._rows.get()
        last = rows is None
        while not (last or self._rows.empty()):
            following = self._rows.get()
            last, rows = following is None, rows if following is None else following
        return rows, last

    def _let_go(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None

    def _warn(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            first = reason.replace(self._url, "URL").splitlines()[0]  # an address may hold a password
            self._say(f"warning: trials are not mirrored to the Optuna storage: {first}. The search continues.")


def _require_driver(url: str) -> None:
    """InputError where nothing here can open such a URL; its text is not shown, since it may hold a password."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415  comes with Optuna
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        parsed = make_url(url)
        parsed.get_dialect().import_dbapi()
    except ArgumentError:
        raise InputError(
            "--optuna-storage is not a URL of a database: write sqlite:///search.db or postgresql://USER@HOST/DATABASE."
        ) from None
    except ImportError as error:
        advice = "Install the package that has it."
        if parsed.get_backend_name() == "postgresql":
            advice = "pip install 'psycopg[binary]', and write postgresql+psycopg://USER@HOST/DATABASE."
        scheme, driver = parsed.drivername, error.name
        raise InputError(
            f"--optuna-storage {scheme}://... needs the driver {driver}, which is not installed.\n{advice}"
        ) from None


class _OpenStudy:
    """A study of a storage that answers, and which of its trials are there and finished."""

    def __init__(self, url: str, name: str, choices: Mapping[str, Sequence[Value]], axes: Sequence[Axis]) -> None:
        from optuna import distributions, storages  # noqa: PLC0415  an extra

        self._storage = storages.RDBStorage(url)
        self._id = _study_of(self._storage, name, axes)
        self._distributions: dict[str, distributions.BaseDistribution] = {
            choice: distributions.CategoricalDistribution(values) for choice, values in choices.items()
        }
        self._known: dict[int, tuple[int, bool]] = {
            int(one.user_attrs[_NUMBER]): (self._id_of(one), one.state.is_finished())
            for one in self._storage.get_all_trials(self._id, deepcopy=False)
            if _NUMBER in one.user_attrs
        }

    def _id_of(self, trial: "FrozenTrial") -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._id, trial.number)

    def write(self, row: Shown) -> None:
        """What is new of a trial."""
        from optuna.trial import TrialState  # noqa: PLC0415  an extra

        state = TrialState[row.state]
        if row.number not in self._known:
            made = self._storage.create_new_trial(self._id, self._made(row, state))
            self._known[row.number] = made, state.is_finished()
        elif state.is_finished() and not self._known[row.number][1]:
            self._finish(self._known[row.number][0], row, state)
            self._known[row.number] = self._known[row.number][0], True

    def close(self) -> None:
        """Give its connections back."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    def _made(self, row: Shown, state: "TrialState") -> "FrozenTrial":
        from optuna.trial import create_trial  # noqa: PLC0415  an extra

        return create_trial(
            state=state, values=row.values, params=dict(row.chosen), distributions=self._distributions,
            user_attrs={_NUMBER: row.number, **row.about},
        )  # fmt: skip

    def _finish(self, id_: int, row: Shown, state: "TrialState") -> None:
        for name, value in row.about.items():
            self._storage.set_trial_user_attr(id_, name, value)
        self._storage.set_trial_state_values(id_, state, row.values)


def _study_of(storage: "BaseStorage", name: str, axes: Sequence[Axis]) -> int:
    """The id of the study with this name, made where there is none."""
    from optuna import logging  # noqa: PLC0415  an extra
    from optuna.exceptions import DuplicatedStudyError  # noqa: PLC0415
    from optuna.study import StudyDirection  # noqa: PLC0415

    directions = [StudyDirection.MAXIMIZE if one.maximised else StudyDirection.MINIMIZE for one in axes]
    before = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)  # it tells of its creation, even into a terminal's bar
    try:
        id_ = storage.create_new_study(directions, name)
    except DuplicatedStudyError:
        return storage.get_study_id_from_name(name)
    finally:
        logging.set_verbosity(before)
    storage.set_study_system_attr(id_, "study:metric_names", [one.name for one in axes])
    return id_
