"""What a study wrote down beside its trials: its question, its plan, and what it decided.

Each is one line of the store. Networks stand in it by their content hash; the store holds each of them once.
"""

from collections.abc import Mapping

import msgspec

from triscale.recipes import Recipe
from triscale.spec import Size
from triscale.trials.map_records import FocusRecord, PictureRecord
from triscale.trials.pilot_records import PilotRecord
from triscale.trials.surface_records import AskedRecord, Interval, SharesRecord, SurfaceRecord

Scalar = str | int | float | bool | None
Cost = Mapping[str, int | float]
"""Counted cost by the name of the metric; what is a whole number stays one."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """One line of a store; `kind` says which."""


class DataFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The data of a study in numbers.

    Attributes:
        source: what opens it.
        fingerprint: content hash.
        classes: names, in the order of the labels.
        train, validation, test: images of each.
        test_from: what served as the test: `test`, `val`, or a part split off `train`.
        native: height and width of the originals; beyond it is upsampling.
        skipped: images left out because they cannot be read.
        notes: what a reader of the results should know.
        rule, group_by: by which splits were drawn, see `triscale.trials.DataUse`.
    """

    source: str
    fingerprint: str
    classes: tuple[str, ...]
    train: int
    validation: int
    test: int
    test_from: str
    native: Size | None = None
    skipped: int = 0
    notes: tuple[str, ...] = ()
    rule: int = 1
    group_by: str = "content"


class BegunRecord(Line, frozen=True, kw_only=True):
    """The question of a search, on what, where.

    Attributes:
        triscale: version.
        command: the command line that asks it.
        question: as it was given, by field.
        question_hash: names the study.
        data: see `DataFacts`.
        machine: as `triscale.machine.machine` describes it, and `gpu`.
        jobs: trainings at a time.
        device: where torch computed.
        threads: of each training.
        started: UTC, ISO 8601.
    """

    triscale: str
    question: Mapping[str, Scalar | Mapping[str, float]]
    question_hash: str
    data: DataFacts
    machine: Mapping[str, Scalar]
    jobs: int
    device: str
    threads: int
    started: str
    command: str | None = None


class StudyRecord(BegunRecord, frozen=True, kw_only=True, tag="study"):
    """The beginning of a study."""


class FactorsRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Factors of depth, width and resolution over the baseline."""

    depth: float
    width: float
    resolution: float


class CellRecord(msgspec.Struct, frozen=True, kw_only=True):
    """For each factor, the interval of values that round to one network."""

    depth: Interval
    width: Interval
    resolution: Interval


class NetworkRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A network of a study.

    Attributes:
        id: content hash of the network.
        rule: `baseline`, `grid`, `compound`, the one dimension that is scaled, or the rule of a rival.
        factors: over the baseline.
        cost: counted, by the name of the metric.
        ratio: counted MACs over the baseline's.
        within: whether it costs what it should, within the tolerance.
        upsampled: whether it takes more pixels than the originals have.
    """

    id: str
    rule: str
    factors: FactorsRecord
    cost: Cost
    ratio: float
    within: bool
    upsampled: bool


class CandidateRecord(NetworkRecord, frozen=True, kw_only=True):
    """A candidate for alpha, beta, gamma.

    Attributes:
        cell: of the triples that round to it; None where nothing rounds.
        merged: grid triples that rounded to it.
        shares: where it lies on the triangle; None in studies older than the triangle.
        lattice: the point of the lattice that it stands for: `depth`, `width`, `resolution`, two of them joined by
            `+`, `centroid` or `paper`; `transferred`: it comes from another cost; None for the others.
        resampled: whether the originals are resized for it.
    """

    cell: CellRecord | None = None
    merged: int = 1
    shares: SharesRecord | None = None
    lattice: str | None = None
    resampled: bool = False


class MemberRecord(NetworkRecord, frozen=True, kw_only=True):
    """A network of the scaled family.

    Attributes:
        phi: its place.
        cost_ratio: counted MACs over those of the compound member at the same phi.
    """

    phi: float
    cost_ratio: float


class PlanRecord(Line, frozen=True, kw_only=True, tag="plan"):
    """What the study will do; see `triscale.search.planning.plan.StudyPlan`.

    Attributes:
        baseline, candidates: of the search.
        phi, phis: of the family; the last one, and all.
        epochs, batch, train_size: of each training.
        seeds: in order.
        leaders: where means decide, the candidates that get further seeds.
        tolerance: of the counted cost of a candidate.
        target: cost of a candidate over the baseline's.
        cost: what candidates cost alike: a metric.
        round: trainings of candidates that are decided on together, after the first round.
        transferred: id of the candidate that coefficients from another cost give.
        search: trainings of candidates; 0 in studies older than the triangle, which trained each with the first seed.
        pilot: what was learned of the baseline before; None where the length of a training was given.
        distinct: networks of the target cost that the candidates were taken from.
        trainings: how many are expected.
        predicted_seconds: of all of them.
        recipe: of each training.
    """

    baseline: CandidateRecord
    candidates: tuple[CandidateRecord, ...]
    phi: float
    phis: tuple[float, ...]
    epochs: int
    batch: int
    train_size: int
    seeds: tuple[int, ...]
    leaders: int
    tolerance: float
    trainings: int
    predicted_seconds: float
    recipe: Recipe
    target: float = 2.0
    round: int = 4
    search: int = 0
    transferred: str | None = None
    pilot: PilotRecord | None = None
    distinct: int | None = None
    cost: str = "macs"


class RoundRecord(Line, frozen=True, kw_only=True, tag="round"):
    """Trainings of candidates that were decided on together.

    Attributes:
        why: `lattice`, `gain` (those that tell most, by the surface), `means` (further seeds of the best), or `all`
            that are left.
        trainings: at most as many as a round has, whatever the number of workers.
    """

    why: str
    trainings: tuple[AskedRecord, ...]


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate in the ranking.

    Attributes:
        id: of its network.
        n: seeds.
        mean, half_mean: validation accuracy at the end, and at half the training length.
        difference: the best one's mean minus its own, over the seeds of both.
        interval: of that, 95%.
        tied: whether the noise cannot tell it from the best.
    """

    id: str
    n: int
    mean: float
    half_mean: float
    difference: float
    interval: Interval
    tied: bool


class CoefficientsRecord(msgspec.Struct, frozen=True, kw_only=True):
    """alpha, beta and gamma."""

    alpha: float
    beta: float
    gamma: float


class ChoiceRecord(Line, frozen=True, kw_only=True, tag="choice"):
    """Which candidate was chosen, and on what ground.

    Attributes:
        ranking: best first.
        tied: ids that the noise cannot tell from the best.
        chosen: id.
        rule: of the choice; None in older studies, which took the cheapest of the tied.
        coefficients: the factors of the chosen one.
        noise_sd, noise_freedom: of a paired difference in one seed, and its degrees of freedom (0: sampling error).
        half_agrees: whether the best at half the training length is tied at the end.
        warning: what speaks against the ranking.
        surface: that the choice rests on; None where means were compared.
        guessing: what guessing gets right, where no network is better; else None.
    """

    ranking: tuple[Ranked, ...]
    tied: tuple[str, ...]
    chosen: str
    coefficients: CoefficientsRecord
    noise_sd: float
    noise_freedom: int
    half_agrees: bool
    rule: str | None = None
    warning: str | None = None
    surface: SurfaceRecord | None = None
    guessing: float | None = None


class FamilyRecord(Line, frozen=True, kw_only=True, tag="family"):
    """The networks that the coefficients give, and their rivals at equal cost."""

    members: tuple[MemberRecord, ...]


class CamRecord(Line, frozen=True, kw_only=True, tag="cam"):
    """The grid of class activation maps; what maps are worth by `steps` of deletion (not in older studies)."""

    pictures: tuple[PictureRecord, ...]
    focus: tuple[FocusRecord, ...] = ()
    steps: int = 0


class AnswerRecord(Line, frozen=True, kw_only=True, tag="answer"):
    """The answer in lines, and the id of the network to take."""

    lines: tuple[str, ...]
    best: str


class EventRecord(Line, frozen=True, kw_only=True, tag="event"):
    """Something that happened to the study, such as a plan made again; `at` is UTC, ISO 8601."""

    at: str
    text: str


StudyLine = (
    StudyRecord | PlanRecord | RoundRecord | ChoiceRecord | FamilyRecord | CamRecord | AnswerRecord | EventRecord
)
