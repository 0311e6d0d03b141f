"""A study sorted for reading: who was trained, how long, and how well."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import mean

from triscale import intervals
from triscale.errors import InputError
from triscale.spec import AnyNetwork
from triscale.trials import TEST, VALIDATION, Epoch, Stored, Trial
from triscale.trials.map_records import FocusRecord, PictureRecord
from triscale.trials.study_records import (
    AnswerRecord,
    CamRecord,
    CandidateRecord,
    ChoiceRecord,
    DataFacts,
    FactorsRecord,
    FamilyRecord,
    MemberRecord,
    NetworkRecord,
    PlanRecord,
    StudyRecord,
)
from triscale.trials.triangle_words import cost_word, where

# One forward pass and a backward pass of twice its cost.
PASSES = 3
LONGER = "compute"
"""The purpose of a training of the baseline that is longer than the others."""
_SHOWN_ANYWAY = ("macs", "params")
AXES = ("depth", "width", "resolution")


@dataclass(frozen=True)
class Scores:
    """Accuracies of one network over its seeds."""

    values: tuple[float, ...]

    @property
    def n(self) -> int:
        """How many seeds."""
        return len(self.values)

    @property
    def mean(self) -> float | None:
        """The mean over seeds; None without any."""
        return mean(self.values) if self.values else None

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation over seeds; None below two."""
        return intervals.deviation(self.values)


@dataclass(frozen=True, eq=False)
class Training:
    """The finished trials of one network with the same length, one per seed."""

    id: str
    epochs: int
    trials: tuple[Trial, ...]

    @property
    def samples(self) -> int:
        """Images seen in one trial."""
        return max(trial.history[-1].samples for trial in self.trials)

    @property
    def validation(self) -> Scores:
        """Validation top-1 over the seeds."""
        return _scores(trial.metrics.get(VALIDATION) for trial in self.trials)

    @property
    def test(self) -> Scores:
        """Test top-1 over the seeds that are tested."""
        return _scores(trial.metrics.get(TEST) for trial in self.trials)

    @property
    def half(self) -> Scores:
        """Validation top-1 at half the training length."""
        return _scores(trial.half_top1 for trial in self.trials)

    def curve(self) -> list[tuple[int, int, float]]:
        """(epoch, samples seen, mean validation top-1), at the epochs which every seed has measured."""
        measured: dict[int, list[Epoch]] = {}
        for trial in self.trials:
            for point in trial.history:
                measured.setdefault(point.epoch, []).append(point)
        return [
            (epoch, points[0].samples, mean(point.validation_top1 for point in points))
            for epoch, points in sorted(measured.items())
            if len(points) == len(self.trials)
        ]


@dataclass(frozen=True)
class Facts:
    """A study as its store tells it; what has not been recorded yet is empty.

    Attributes:
        stored: what the store holds.
        study, plan, choice: the latest of these records.
        members: networks of the scaled family, the baseline among them.
        candidates: the baseline and the candidates of the coefficient search.
        done, failed: the trials that ended, oldest first.
        trainings: by network: its trials at the length which all networks share.
        longer: the baseline trained longer, shortest first.
    """

    stored: Stored
    study: StudyRecord | None = None
    plan: PlanRecord | None = None
    choice: ChoiceRecord | None = None
    members: tuple[MemberRecord, ...] = ()
    candidates: tuple[CandidateRecord, ...] = ()
    done: tuple[Trial, ...] = ()
    failed: tuple[Trial, ...] = ()
    trainings: Mapping[str, Training] = field(default_factory=dict)
    longer: tuple[Training, ...] = ()

    @property
    def cost(self) -> str:
        """The metric that candidates cost alike; MACs before there is a plan."""
        return "macs" if self.plan is None else self.plan.cost

    @property
    def cost_word(self) -> str:
        """It in a sentence."""
        return cost_word(self.cost)

    @property
    def own_cost(self) -> str | None:
        """That metric where it is one that no column or axis shows anyway, and the records hold its values."""
        held = all(self.cost in one.cost for one in (*self.members, *self.candidates))
        return self.cost if held and self.cost not in _SHOWN_ANYWAY else None

    @property
    def data(self) -> DataFacts | None:
        """The data facts of the `study` record."""
        return None if self.study is None else self.study.data

    @property
    def answer(self) -> list[str]:
        """The five lines of the answer; none while the study is unfinished."""
        found = self.stored.one(AnswerRecord)
        return [] if found is None else list(found.lines)

    @property
    def pictures(self) -> tuple[PictureRecord, ...]:
        """The images of the class-activation grid."""
        found = self.stored.one(CamRecord)
        return () if found is None else found.pictures

    @property
    def focus(self) -> tuple[FocusRecord, ...]:
        """What the maps of each network are worth."""
        found = self.stored.one(CamRecord)
        return () if found is None else found.focus

    @property
    def test_pictures(self) -> int | None:
        """How many images the test has; None before the first test."""
        tested = any(TEST in trial.metrics for trial in self.done)
        return self.data.test if tested and self.data is not None else None

    @property
    def noise(self) -> tuple[float, int] | None:
        """Standard deviation of test top-1 within networks, over seeds, pooled over the family; with its freedom."""
        return intervals.pooled_deviation(
            self.test(id_).values for id_ in dict.fromkeys(one.id for one in self.members)
        )

    def network(self, id_: str) -> AnyNetwork:
        """The network of an id."""
        return self.stored.network(id_)

    def known(self, id_: str) -> NetworkRecord | None:
        """The member or candidate with this id."""
        return next((one for one in (*self.members, *self.candidates) if one.id == id_), None)

    def validation(self, id_: str) -> Scores:
        """Validation top-1 of a network at the length which all networks share."""
        return self.trainings[id_].validation if id_ in self.trainings else Scores(())

    def test(self, id_: str) -> Scores:
        """Test top-1 of a network at the length which all networks share."""
        return self.trainings[id_].test if id_ in self.trainings else Scores(())

    def compute(self, training: Training) -> float | None:
        """MACs spent in one training: samples x 3 x MACs of the network; None if its cost is unknown."""
        network = self.known(training.id)
        return None if network is None else float(training.samples * PASSES * network.cost["macs"])


def facts(stored: Stored) -> Facts:
    """Sort what a store holds of a finished or unfinished study.

    Raises:
        InputError: it holds trials, but no study.
    """
    study, plan, family = stored.one(StudyRecord), stored.one(PlanRecord), stored.one(FamilyRecord)
    if study is None and len(stored):
        raise InputError("this is the folder of a training; only a study has a report.")
    groups = list(_trainings(stored))
    longer = [one for one in groups if one.trials[0].purpose == LONGER]
    return Facts(
        stored=stored,
        study=study,
        plan=plan,
        choice=stored.one(ChoiceRecord),
        members=() if family is None else family.members,
        candidates=() if plan is None else (plan.baseline, *plan.candidates),
        done=tuple(trial for trial in stored if trial.state == "done"),
        failed=tuple(trial for trial in stored if trial.state == "failed"),
        trainings={one.id: one for one in groups if one not in longer},
        longer=tuple(sorted(longer, key=lambda training: training.samples)),
    )


def label(network: NetworkRecord) -> str:
    """How a member or candidate is called in figures: "compound φ=1", "a mix 1.20 1.10 1.17"."""
    if network.rule == "baseline":
        return "baseline"
    if isinstance(network, MemberRecord):
        return f"{network.rule} φ={network.phi:g}"
    return f"{kind(network)} {triple(network.factors)}"


def kind(network: NetworkRecord) -> str:
    """What a network scales, in words that are true of it; the name of its rule where its shares are not recorded."""
    return where(network.shares) if isinstance(network, CandidateRecord) and network.shares else network.rule


def triple(factors: FactorsRecord) -> str:
    """The factors of depth, width and resolution in one line."""
    return " ".join(f"{getattr(factors, axis):.2f}" for axis in AXES)


def _trainings(stored: Stored) -> Iterable[Training]:
    """Finished trials grouped by network and length."""
    for id_, trials in stored.by_network().items():
        lengths: dict[int, list[Trial]] = {}
        for trial in trials:
            if trial.state == "done":
                lengths.setdefault(trial.epochs, []).append(trial)
        yield from (Training(id_, epochs, tuple(found)) for epochs, found in lengths.items())


def _scores(values: Iterable[float | None]) -> Scores:
    return Scores(tuple(value for value in values if value is not None))
