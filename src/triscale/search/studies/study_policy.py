"""How a study opens its images: a study keeps the rule of splits that it began with."""

from dataclasses import replace
from pathlib import Path

from triscale.data import CheckOptions, SplitRule
from triscale.search.studies.question import Question
from triscale.trials import RECORDS, read
from triscale.trials.study_records import StudyRecord


def policy_of(question: Question, folder: Path | None) -> CheckOptions:
    """What is done about doubtful images, by the rule of the study that the folder holds, if it holds one.

    Raises:
        InputError: the folder's store cannot be read.
        UsageError: its rule cannot group images as asked.
    """
    rule, known = SplitRule(group_by=question.group_by), None if folder is None else _study_in(folder)
    if known is not None:
        rule = replace(rule, version=known.data.rule)
    names = ("strict", "allow_empty", "follow_links", "download", "allow_truncated")
    return CheckOptions(**{name: getattr(question, name) for name in names}, split=rule)


def _study_in(folder: Path) -> StudyRecord | None:
    return read(folder).one(StudyRecord) if (folder / RECORDS).exists() else None
