"""The record that a study begins with."""

from collections.abc import Mapping
from datetime import UTC, datetime

from triscale._version import __version__
from triscale.data import Source
from triscale.machine import machine
from triscale.nn import device_name
from triscale.search.question import Question
from triscale.trials import Numerics
from triscale.trials.study_records import DataFacts, StudyRecord


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
