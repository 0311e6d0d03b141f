"""How a search opens its images: it keeps the rule of splits that it began with."""

from dataclasses import replace
from pathlib import Path

from triscale.data import CheckOptions, SplitRule
from triscale.search.trainings.shared_terms import SharedTerms
from triscale.trials import RECORDS, read
from triscale.trials.study_records import BegunRecord


def policy_of(asked: SharedTerms, folder: Path | None) -> CheckOptions:
    """What is done about doubtful images, by the rule of the search that the folder holds, if it holds one.

    Raises:
        InputError: the folder's store cannot be read.
        UsageError: its rule cannot group images as asked.
    """
    rule, known = SplitRule(group_by=asked.group_by), None if folder is None else _begun_in(folder)
    if known is not None:
        rule = replace(rule, version=known.data.rule)
    names = ("strict", "allow_empty", "follow_links", "download", "allow_truncated")
    return CheckOptions(**{name: getattr(asked, name) for name in names}, split=rule)


def _begun_in(folder: Path) -> BegunRecord | None:
    return read(folder).one(BegunRecord) if (folder / RECORDS).exists() else None
