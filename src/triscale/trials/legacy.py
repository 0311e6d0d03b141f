"""Records of triscale 0.1 (schema 1) as lines of today: what it wrote stays readable."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, get_args

import msgspec

from triscale.errors import InputError
from triscale.spec import AnyNetwork
from triscale.speed_plan import SpeedPlan
from triscale.trials.job import DataUse, FirstWeights, GroupBy, TrainJob
from triscale.trials.legacy_lines import (
    AnyOldLine,
    Machine,
    OldEpoch,
    OldFailed,
    OldFamily,
    OldIdentity,
    OldPlan,
    OldResult,
    OldRun,
    OldSplit,
    OldStudy,
    OldTest,
    OldTrain,
    decoded_old,
    old_identity,
)
from triscale.trials.lines import AnyLine, NetworkLine, Shared
from triscale.trials.numerics import Numerics
from triscale.trials.study_records import (
    AnswerRecord,
    CamRecord,
    CandidateRecord,
    ChoiceRecord,
    Cost,
    DataFacts,
    FamilyRecord,
    MemberRecord,
    PlanRecord,
    StudyRecord,
)
from triscale.trials.trial import TEST, VALIDATION, Epoch, Trial

_SCHEMA = 1
_FRACTION = 0.1
"""0.1 drew a tenth for validation; where a data set had its own validation images, its records do not say so."""
_RUN_FILE = "run.json"
_Struct = TypeVar("_Struct", bound=msgspec.Struct)
_Key = tuple[str, int, int]


def converted(path: Path, lines: Sequence[bytes]) -> Iterator[AnyLine]:
    """The lines of a file of 0.1, converted.

    Raises:
        InputError: it is not a file of 0.1 either.
    """
    old = [_decoded(path, number, text) for number, text in enumerate(lines, 1)]
    first = old[0]
    if isinstance(first, OldStudy | OldTrain) and first.schema == _SCHEMA:
        shared, conversion = Shared(), _study if isinstance(first, OldStudy) else _training
        try:
            yield from conversion(path, old, shared)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        return
    raise InputError(f"{path} holds no study and no training that this triscale can read.")


def _decoded(path: Path, number: int, text: bytes) -> AnyOldLine:
    try:
        return decoded_old(text)
    except InputError as error:
        raise InputError(f"{path}, line {number}: {error}.\nIt holds no records that this triscale can read.") from None


def _study(path: Path, old: Sequence[AnyOldLine], shared: Shared) -> Iterator[AnyLine]:
    """Networks and records in their order, then the trials, each with the test that came later."""
    del path
    study = next(line for line in old if isinstance(line, OldStudy))
    plan = next((line for line in reversed(old) if isinstance(line, OldPlan)), None)
    costs: dict[str, Cost] = {}
    trials: dict[_Key, Trial] = {}
    for line in old:
        match line:
            case OldStudy():
                yield _study_record(line)
            case OldPlan() | OldFamily():
                yield from _networks(line, shared, costs)
                yield _plan_record(line) if isinstance(line, OldPlan) else _family_record(line)
            case ChoiceRecord() | CamRecord() | AnswerRecord():
                yield line
            case OldRun() | OldFailed() if plan is not None:
                trial = _trial(line, study, plan, shared.network(line.id))
                trials[line.id, line.seed, line.epochs] = replace(trial, cost=dict(costs[line.id]))
            case OldTest() if (line.id, line.seed, line.epochs) in trials:
                tested = trials[line.id, line.seed, line.epochs]
                trials[line.id, line.seed, line.epochs] = replace(tested, metrics={**tested.metrics, TEST: line.top1})
            case _:
                raise InputError(f"a `{_kind(line)}` record stands where 0.1 wrote none.")
    for trial in trials.values():
        yield from shared.lines_for(trial)  # type: ignore[misc]  # lines of trials


def _kind(line: msgspec.Struct) -> str:
    return str(line.__struct_config__.tag)


def _networks(line: OldPlan | OldFamily, shared: Shared, costs: dict[str, Cost]) -> Iterator[NetworkLine]:
    """The networks that a record names first, each on a line of its own."""
    named = (line.baseline, *line.candidates) if isinstance(line, OldPlan) else line.members
    for one in named:
        if one.id not in costs:
            costs[one.id] = one.cost
            found = NetworkLine(id=one.id, value=one.network)
            shared.take(found)
            yield found


def _study_record(old: OldStudy) -> StudyRecord:
    rule = old.data.split
    data = DataFacts(
        rule=rule.version, group_by=rule.group_by,
        **{name: getattr(old.data, name) for name in old.data.__struct_fields__ if name != "split"},
    )  # fmt: skip
    return _same(StudyRecord, old, data=data, jobs=old.workers)


def _plan_record(old: OldPlan) -> PlanRecord:
    candidates = tuple(_same(CandidateRecord, one) for one in old.candidates)
    return _same(PlanRecord, old, baseline=_same(CandidateRecord, old.baseline), candidates=candidates)


def _family_record(old: OldFamily) -> FamilyRecord:
    return FamilyRecord(members=tuple(_same(MemberRecord, one) for one in old.members))


def _same(kind: type[_Struct], old: msgspec.Struct, **changed: object) -> _Struct:
    """A record of today with the fields that it has always had, and those that changed."""
    kept = {name: getattr(old, name) for name in kind.__struct_fields__ if hasattr(old, name) and name not in changed}
    return kind(**kept, **changed)


def _trial(old: OldRun | OldFailed, study: OldStudy, plan: OldPlan, network: AnyNetwork) -> Trial:
    """A training of a study, which kept the weights of its last epoch."""
    recipe = replace(plan.recipe, epochs=old.epochs)
    job = TrainJob(network=network, data=_data_of(study, plan), recipe=recipe, seed=old.seed, keep="last")
    if isinstance(old, OldFailed):
        return Trial(job=job, state="failed", purpose=old.phase, reason=old.reason, machine=study.machine)
    plan_used = None if old.kernels is None else SpeedPlan(build=old.kernels)
    numerics = _numerics(old.device, old.threads or study.threads, plan_used, study.machine, study.triscale)
    return Trial(
        job=job, state="done", purpose=old.phase, history=old.history, kept_epoch=old.epochs,
        metrics=_metrics(old.history[-1], old.seconds, old.images_per_second),
        numerics=numerics, machine=study.machine, finished=old.finished,
        checkpoint=f"runs/{old.id[:12]}-s{old.seed}-e{old.epochs}.safetensors",
    )  # fmt: skip


def _data_of(study: OldStudy, plan: OldPlan) -> DataUse:
    """As far as the records say it: of a subset, they do not say about how many training images."""
    about, asked = study.data, study.question
    seed, size = asked.get("seed"), asked.get("train_size")
    subset = size if isinstance(size, int) else plan.train_size if plan.train_size < about.train else None
    return DataUse(
        fingerprint=about.fingerprint, classes=about.classes, images=about.train + about.validation,
        rule=about.split.version, group_by=_group_by(about.split), fraction=_FRACTION, subset=subset,
        seed=seed if isinstance(seed, int) else 0,
    )  # fmt: skip


def _group_by(split: OldSplit) -> GroupBy:
    return next((known for known in get_args(GroupBy) if known == split.group_by), "content")


def _numerics(device: str, threads: int, plan: SpeedPlan | None, machine: Machine, version: str) -> Numerics:
    return Numerics(
        device=device, threads=threads, plan=plan, cpu=str(machine.get("cpu") or ""),
        torch=str(machine.get("torch") or ""), triscale=version,
    )  # fmt: skip


def _metrics(kept: Epoch, seconds: float, speed: float) -> dict[str, float]:
    return {
        VALIDATION: kept.validation_top1,
        "train_loss": kept.train_loss,
        "samples": float(kept.samples),
        "seconds": seconds,
        "images_per_second": speed,
    }


def _training(path: Path, old: Sequence[AnyOldLine], shared: Shared) -> Iterator[AnyLine]:
    """The one trial of a folder of `triscale train`."""
    begun = next(line for line in old if isinstance(line, OldTrain))
    ended = next((line for line in reversed(old) if isinstance(line, OldResult)), None)
    epochs = {line.epoch: _epoch(line) for line in old if isinstance(line, OldEpoch)}
    network = NetworkLine(id=begun.id, value=begun.network)
    shared.take(network)
    yield network
    trial = Trial(
        job=_job(begun, shared.network(begun.id), _identity(path)), state="running", history=tuple(epochs.values()),
        numerics=_numerics(begun.device, begun.threads, begun.plan, begun.machine, begun.triscale),
        machine=begun.machine, started=begun.started,
    )  # fmt: skip
    if ended is not None:
        last, kept = trial.history[-1], epochs[ended.epoch]
        metrics = _metrics(kept, ended.seconds, ended.images_per_second) | {"samples": float(last.samples)}
        trial = replace(
            trial, state="done", kept_epoch=ended.epoch, metrics=metrics, checkpoint=ended.checkpoint,
            finished=ended.finished,
        )  # fmt: skip
    yield from shared.lines_for(trial)  # type: ignore[misc]  # lines of trials


def _epoch(old: OldEpoch) -> Epoch:
    return Epoch(**{name: getattr(old, name) for name in old.__struct_fields__})


def _job(begun: OldTrain, network: AnyNetwork, identity: OldIdentity) -> TrainJob:
    data = DataUse(
        fingerprint=begun.data.fingerprint, classes=begun.data.classes, images=begun.data.pictures,
        rule=begun.data.split.version, group_by=_group_by(begun.data.split), fraction=_FRACTION, seed=begun.seed,
    )  # fmt: skip
    first = identity.weights and FirstWeights(digest=identity.weights, network=network.name, grow=identity.grow)
    return TrainJob(
        network=network, data=data, recipe=begun.recipe, seed=begun.seed, weights=first or None,
        teacher=identity.teacher,
    )  # fmt: skip


def _identity(path: Path) -> OldIdentity:
    try:
        return old_identity(path.with_name(_RUN_FILE).read_bytes())
    except OSError:
        return OldIdentity()
