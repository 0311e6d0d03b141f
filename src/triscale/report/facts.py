"""The records of a study, sorted for reading: who was trained, how long, and how well."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import mean
from typing import Any

from triscale import intervals
from triscale.errors import InputError
from triscale.records import Record, Records

# One forward pass and a backward pass of twice its cost.
PASSES = 3
SCHEMA = 1


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
    """The runs of one network with the same length, one per seed."""

    id: str
    epochs: float
    runs: tuple[Record, ...]

    @property
    def samples(self) -> int:
        """Pictures seen in one run."""
        return int(max(run["samples"] for run in self.runs))

    @property
    def validation(self) -> Scores:
        """Validation top-1 over the seeds."""
        return _scores(run.get("validation_top1") for run in self.runs)

    @property
    def half(self) -> Scores:
        """Validation top-1 at half the training length."""
        return _scores(run.get("half_top1") for run in self.runs)

    def curve(self) -> list[tuple[float, int, float]]:
        """(epoch, samples seen, mean validation top-1), at the epochs which every seed has measured."""
        measured: dict[float, list[Record]] = {}
        for run in self.runs:
            for point in run.get("history") or []:
                if point.get("validation_top1") is not None:
                    measured.setdefault(point["epoch"], []).append(point)
        return [
            (epoch, points[0]["samples"], mean(point["validation_top1"] for point in points))
            for epoch, points in sorted(measured.items())
            if len(points) == len(self.runs)
        ]


@dataclass(frozen=True)
class Facts:
    """A study as its records tell it; what has not been recorded yet is empty.

    Attributes:
        records: the records themselves.
        study: the `study` record.
        plan: the `plan` record.
        choice: the `choice` record.
        members: networks of the scaled family, the baseline among them.
        candidates: the baseline and the candidates of the coefficient search.
        trainings: by network: its runs at the length which all networks share.
        longer: the baseline trained longer, shortest first.
    """

    records: Records
    study: Record = field(default_factory=dict)
    plan: Record = field(default_factory=dict)
    choice: Record = field(default_factory=dict)
    members: tuple[Record, ...] = ()
    candidates: tuple[Record, ...] = ()
    trainings: dict[str, Training] = field(default_factory=dict)
    longer: tuple[Training, ...] = ()

    @property
    def data(self) -> Record:
        """The data facts of the `study` record."""
        return self.study.get("data") or {}

    @property
    def answer(self) -> list[str]:
        """The five lines of the answer; none while the study is unfinished."""
        return list((self.records.one("answer") or {}).get("lines", []))

    @property
    def pictures(self) -> list[Record]:
        """The pictures of the class-activation grid."""
        return list((self.records.one("cam") or {}).get("pictures", []))

    @property
    def test_pictures(self) -> int | None:
        """How many pictures the test has; None before the first test."""
        tests = self.records.all("test")
        return int(tests[0]["n"]) if tests else None

    @property
    def noise(self) -> tuple[float, int] | None:
        """Standard deviation of test top-1 within networks, over seeds, pooled over the family; with its freedom."""
        return intervals.pooled_deviation(self.test(id_).values for id_ in {member["id"] for member in self.members})

    def known(self, id_: str) -> Record | None:
        """The member or candidate with this id."""
        return next((one for one in (*self.members, *self.candidates) if one["id"] == id_), None)

    def validation(self, id_: str) -> Scores:
        """Validation top-1 of a network at the length which all networks share."""
        return self.trainings[id_].validation if id_ in self.trainings else Scores(())

    def test(self, id_: str, longer: Training | None = None) -> Scores:
        """Test top-1 of a network; of its longer training if that is given."""
        other = {training.epochs for training in self.longer if training.id == id_}
        rows = [row for row in self.records.all("test") if row["id"] == id_]
        if longer is None:
            rows = [row for row in rows if row["epochs"] not in other]
        else:
            rows = [row for row in rows if row["epochs"] == longer.epochs]
        return _scores({row["seed"]: row["top1"] for row in rows}.values())

    def compute(self, training: Training) -> float | None:
        """MACs spent in one training: samples x 3 x MACs of the network; None if its cost is unknown."""
        network = self.known(training.id)
        return None if network is None else float(training.samples * PASSES * network["cost"]["macs"])


def facts(records: Records) -> Facts:
    """Sort the records of a finished or unfinished study.

    Raises:
        InputError: the records are of another format than this version writes.
    """
    schema = (records.one("study") or {}).get("schema", SCHEMA)
    if schema != SCHEMA:
        raise InputError(
            f"The records have schema {schema!r}, this triscale reads {SCHEMA}: use the version that wrote them."
        )
    plan = records.one("plan") or {}
    baseline = [plan["baseline"]] if plan.get("baseline") else []
    longer = [run for run in records.all("run") if run.get("phase") == "compute"]
    shared = [run for run in records.all("run") if run.get("phase") != "compute"]
    return Facts(
        records=records,
        study=records.one("study") or {},
        plan=plan,
        choice=records.one("choice") or {},
        members=tuple((records.one("family") or {}).get("members", [])),
        candidates=(*baseline, *plan.get("candidates", [])),
        trainings={training.id: training for training in _trainings(shared)},
        longer=tuple(sorted(_trainings(longer), key=lambda training: training.samples)),
    )


def label(network: Record) -> str:
    """How a member or candidate is called in figures: "compound φ=1", "grid 1.20 1.10 1.17"."""
    rule, phi = network["rule"], network.get("phi")
    if rule == "baseline":
        return "baseline"
    if phi is not None:
        return f"{rule} φ={phi:g}"
    return f"{rule} {triple(network)}"


def triple(network: dict[str, Any]) -> str:
    """The factors of depth, width and resolution in one line."""
    factors = network.get("factors") or {}
    return " ".join(f"{factors[name]:.2f}" for name in ("depth", "width", "resolution") if name in factors)


def _trainings(runs: Iterable[Record]) -> list[Training]:
    """Runs grouped by network and length; of a seed that was trained twice the later run counts."""
    groups: dict[tuple[str, float], dict[Any, Record]] = {}
    for run in runs:
        groups.setdefault((run["id"], run["epochs"]), {})[run["seed"]] = run
    return [Training(id_, epochs, tuple(seeds.values())) for (id_, epochs), seeds in groups.items()]


def _scores(values: Iterable[float | None]) -> Scores:
    return Scores(tuple(value for value in values if value is not None))
