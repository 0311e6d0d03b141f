"""The lines of triscale 0.1 (schema 1), as they stand in its files; `legacy.py` makes today's of them.

What some of its records lacked has a default. A choice, the maps and an answer are written today as they were then.
"""

from collections.abc import Mapping

import msgspec

from triscale.errors import InputError
from triscale.recipes import Recipe
from triscale.spec import Size
from triscale.speed_plan import SpeedPlan
from triscale.trials.study_records import (
    AnswerRecord,
    CamRecord,
    CandidateRecord,
    ChoiceRecord,
    MemberRecord,
    Scalar,
)
from triscale.trials.trial import Epoch
from triscale.trials.typed_json import from_json

Machine = Mapping[str, str | int | None]


class OldLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A line of 0.1; `kind` says which."""


class OldSplit(msgspec.Struct, frozen=True, kw_only=True):
    """The rule by which splits were drawn; runs of rule 1 wrote none."""

    version: int = 1
    group_by: str = "content"


class OldStudyData(msgspec.Struct, frozen=True, kw_only=True):
    """See `triscale.trials.study_records.DataFacts`."""

    source: str
    fingerprint: str
    classes: tuple[str, ...]
    train: int
    validation: int
    test: int
    test_from: str = "test"
    native: Size | None = None
    skipped: int = 0
    notes: tuple[str, ...] = ()
    split: OldSplit = OldSplit()


class OldStudy(OldLine, frozen=True, kw_only=True, tag="study"):
    """See `triscale.trials.study_records.StudyRecord`; `workers` are its `jobs`."""

    schema: int
    triscale: str
    question: Mapping[str, Scalar | Mapping[str, float]]
    question_hash: str
    data: OldStudyData
    machine: Machine
    workers: int
    started: str
    command: str | None = None
    device: str = "cpu"
    threads: int = 1


class OldCandidate(CandidateRecord, frozen=True, kw_only=True):
    """A candidate with the whole network in it."""

    network: msgspec.Raw


class OldMember(MemberRecord, frozen=True, kw_only=True):
    """A member of the family with the whole network in it."""

    network: msgspec.Raw


class OldPlan(OldLine, frozen=True, kw_only=True, tag="plan"):
    """See `triscale.trials.study_records.PlanRecord`."""

    baseline: OldCandidate
    candidates: tuple[OldCandidate, ...]
    phi: float
    phis: tuple[float, ...]
    epochs: int
    batch: int
    train_size: int
    seeds: tuple[int, ...]
    leaders: int
    tolerance: float
    predicted_seconds: float
    recipe: Recipe
    trainings: int = 0


class OldFamily(OldLine, frozen=True, kw_only=True, tag="family"):
    """The scaled family."""

    members: tuple[OldMember, ...]


class OldRun(OldLine, frozen=True, kw_only=True, tag="run"):
    """A finished training of a study; `kernels` is the digest of the compiled kernels that were used."""

    id: str
    phase: str
    seed: int
    epochs: int
    history: tuple[Epoch, ...]
    seconds: float
    images_per_second: float
    finished: str
    device: str = ""
    threads: int | None = None
    kernels: str | None = None


class OldFailed(OldLine, frozen=True, kw_only=True, tag="failed"):
    """A training of a study that failed."""

    id: str
    phase: str
    seed: int
    epochs: int
    reason: str


class OldTest(OldLine, frozen=True, kw_only=True, tag="test"):
    """The test of a training of a study."""

    id: str
    seed: int
    epochs: int
    top1: float


class OldTrainData(msgspec.Struct, frozen=True, kw_only=True):
    """The data of a training outside a study; `pictures` are those of the split `train`."""

    fingerprint: str
    classes: tuple[str, ...]
    pictures: int
    split: OldSplit = OldSplit()


class OldTrain(OldLine, frozen=True, kw_only=True, tag="train"):
    """The beginning of a training outside a study; `plan` names the ways of its kernels."""

    schema: int
    triscale: str
    network: msgspec.Raw
    id: str
    recipe: Recipe
    seed: int
    data: OldTrainData
    machine: Machine
    device: str
    threads: int
    started: str
    plan: SpeedPlan = SpeedPlan()


class OldEpoch(OldLine, frozen=True, kw_only=True, tag="epoch"):
    """An epoch of it; see `triscale.trials.Epoch`."""

    epoch: int
    samples: int
    train_loss: float
    validation_top1: float
    learning_rate: float | None = None
    gradient_norm: float | None = None
    parts: int = 1
    skipped: int = 0
    seconds: float | None = None
    resolution: Size | None = None


class OldResult(OldLine, frozen=True, kw_only=True, tag="result"):
    """The end of it: `epoch` is the best by validation."""

    epoch: int
    val_top1: float
    checkpoint: str
    seconds: float
    images_per_second: float
    finished: str


class OldIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Of `run.json`, what the records of a training do not say: digests of the weights it began with, of a teacher."""

    weights: str | None = None
    teacher: str | None = None
    grow: bool = False


class OldRunFile(msgspec.Struct, frozen=True, kw_only=True):
    """`run.json`."""

    identity: OldIdentity = OldIdentity()


AnyOldLine = (
    OldStudy | OldPlan | OldRun | OldFailed | OldTest | OldFamily | OldTrain | OldEpoch | OldResult
    | ChoiceRecord | CamRecord | AnswerRecord
)  # fmt: skip
_DECODER: msgspec.json.Decoder[AnyOldLine] = msgspec.json.Decoder(AnyOldLine)
_RUN_FILE = msgspec.json.Decoder(OldRunFile)


def decoded_old(text: bytes) -> AnyOldLine:
    """The line; InputError for anything else."""
    return from_json(text, _DECODER)


def old_identity(run_file: bytes) -> OldIdentity:
    """What `run.json` says; nothing where it is damaged."""
    try:
        return from_json(run_file, _RUN_FILE).identity
    except InputError:
        return OldIdentity()
