"""The folder of a fit: what it holds before anything is trained is worth nothing, and stands in nobody's way."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree

from triscale.errors import InputError, OutputError
from triscale.lock import LOCK, locked
from triscale.shipping.fit_question import FitQuestion
from triscale.shipping.fit_trainings import ANSWER
from triscale.trials import RECORDS, Stored, read
from triscale.trials.fits.fit_records import FitPlanRecord, FitRecord


def require_place(folder: Path) -> None:
    """OutputError where the folder cannot be made or written, before the images are looked at."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise OutputError(f"the folder {folder} cannot be written: {there} does not allow it. Use another --out.")


def refuse_another(question: FitQuestion, folder: Path) -> None:
    """InputError where the folder holds another fit that has trained something; the message says what differs."""
    differences = _differences(question, folder)
    if differences and _has_trained(folder):
        raise InputError(
            f"{folder} holds another fit: {'; '.join(differences[:3])}.\n"
            "Give the same options to resume it, or another --out."
        )


@contextmanager
def cleared(question: FitQuestion, folder: Path) -> Iterator[None]:
    """Without the records of another question that has trained nothing; where the fit fails without a plan, no trace.

    Raises:
        BusyError, OutputError: see `triscale.lock.locked`.
    """
    created = not folder.exists()
    with locked(folder):
        if _differences(question, folder) and not _has_trained(folder):
            _forget(folder)
        try:
            yield
        except BaseException:
            stored = _stored(folder)
            if stored.one(FitRecord) is not None and stored.one(FitPlanRecord) is None and not _has_trained(folder):
                _forget(folder)
            if created:
                _remove(folder)
            raise


def _differences(question: FitQuestion, folder: Path) -> list[str]:
    known = _stored(folder).one(FitRecord)
    return [] if known is None else question.differences(known.question)


def _stored(folder: Path) -> Stored:
    return read(folder) if (folder / RECORDS).exists() else Stored()


def _has_trained(folder: Path) -> bool:
    """Whether there are weights, or a state from which a training resumes."""
    return any((folder / ANSWER).glob("*.safetensors"))


def _forget(folder: Path) -> None:
    (folder / RECORDS).unlink(missing_ok=True)
    rmtree(folder / ANSWER, ignore_errors=True)


def _remove(folder: Path) -> None:
    """Where it holds a lock alone."""
    with suppress(OSError):
        if {one.name for one in folder.iterdir()} == {LOCK}:
            (folder / LOCK).unlink()
            folder.rmdir()
