"""How a study begins: its images, by the rule of splits that it began with, and what all its trainings share."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from triscale.data import CheckOptions, Source, SplitRule
from triscale.search.studies.campaign import Terms
from triscale.search.studies.question import Question
from triscale.search.studies.work import absolute
from triscale.spec import AnyNetwork
from triscale.training import Inputs, TrainRequest, World, resolve
from triscale.trials import RECORDS, Execution, Numerics, read
from triscale.trials.study_records import StudyRecord

_SAVE_SECONDS = 30.0


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


def terms_of(
    question: Question,
    baseline: AnyNetwork,
    source: Source,
    policy: CheckOptions,
    numerics: Numerics,
    loader_workers: int,
    say: Callable[[str], None],
) -> Terms:
    """What all trainings of a study share; what its recipe leaves open is resolved once, which `say` hears of."""
    request = TrainRequest(
        network=baseline, data=question.data, recipe=question.to_recipe(), seed=question.seed,
        split_seed=question.seed, subset=question.train_size, policy=policy, keep="last",
    )  # fmt: skip
    execution = Execution(loader_workers=loader_workers, save_every=_SAVE_SECONDS, forget_state=True)
    job = resolve(request, Inputs(source=source), numerics, execution, World(), say)
    return Terms(
        job=job, numerics=numerics, execution=execution, data=absolute(question.data), policy=policy,
        images=question.train_size or source.training_split(seed=question.seed).training.size,
    )  # fmt: skip
