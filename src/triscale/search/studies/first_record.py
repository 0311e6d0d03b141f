"""The record that a study begins with, and what is not as it says when the study resumes."""

from collections.abc import Mapping
from datetime import UTC, datetime

from triscale._version import __version__
from triscale.data import Source
from triscale.errors import InputError
from triscale.machine import machine
from triscale.nn import device_name
from triscale.search.studies.question import Question
from triscale.trials import Numerics
from triscale.trials.study_records import DataFacts, EventRecord, StudyRecord


def study_record(
    question: Question, hash_: str, source: Source, counts: Mapping[str, int], numerics: Numerics, jobs: int
) -> StudyRecord:
    """What was asked, on what, where; `counts` as of `Study.counts`."""
    data = DataFacts(
        source=source.name,
        fingerprint=source.fingerprint,
        classes=tuple(source.classes),
        train=counts["train"],
        validation=counts["validation"],
        test=counts["test"],
        test_from=source.test_from,
        native=source.native,
        skipped=source.skipped,
        notes=tuple(source.notes),
        rule=source.rule.version,
        group_by=source.rule.group_by,
    )
    return StudyRecord(
        triscale=__version__,
        command=question.command(),
        question=question.to_dict(),
        question_hash=hash_,
        data=data,
        machine={**machine(), "gpu": device_name(numerics.device)},
        jobs=jobs,
        device=numerics.device,
        threads=numerics.threads,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def changed_since(known: StudyRecord, source: Source, numerics: Numerics) -> list[str]:
    """What differs from the study's first record and may change last bits, in words.

    Raises:
        InputError: the study drew its splits by another rule.
    """
    if known.data.rule != source.rule.version:
        raise InputError("the folder holds a study by an older rule of splits.\nName the folder by --out to resume it.")
    if (known.device, known.threads) == (numerics.device, numerics.threads):
        return []
    begun = f"the study began on {known.device} with {known.threads} threads a training"
    return [f"{begun}; it resumes on {numerics.device} with {numerics.threads}"]


def event(text: str) -> EventRecord:
    """Something that happens to the study now."""
    return EventRecord(at=datetime.now(UTC).isoformat(timespec="seconds"), text=text)
