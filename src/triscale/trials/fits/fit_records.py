"""What a fit wrote down beside its trainings: its question, its plan, the file that it made, and its test."""

import msgspec

from triscale.recipes import Recipe
from triscale.trials.study_records import BegunRecord, CoefficientsRecord, FactorsRecord, Line


class FitRecord(BegunRecord, frozen=True, kw_only=True, tag="fit"):
    """The beginning of a fit."""


class LimitRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A limit and what the network uses of it.

    Attributes:
        name: of the metric.
        limit, use: in the unit of the metric.
        measured: whether it was measured; counted otherwise.
        binds: whether the next larger network would break it.
    """

    name: str
    limit: float
    use: float
    measured: bool = False
    binds: bool = False


class FitPlanRecord(Line, frozen=True, kw_only=True, tag="fit_plan"):
    """What a fit trains.

    Attributes:
        baseline: id of the network that was scaled, with the classes of the data.
        network: id of the answer.
        larger: id of the network that costs twice as much by the same rule; None where no limit binds, or where it was
            not wanted.
        rule, phi, factors, coefficients: how the baseline was scaled.
        limits: with what the answer uses of them.
        latency: what was predicted and measured, in words; None without a limit on latency.
        reasons: why this baseline, these weights and this rule, in sentences.
        weights: where the first weights are from: `package`, a path or a hub id; None: fresh ones.
        weights_network: the network that is named with them.
        recipe: of the training, with its epochs.
        seconds_per_epoch: of the answer, as timed; None where the epochs were given.
        spent: seconds before the training.
    """

    baseline: str
    network: str
    rule: str
    phi: float
    factors: FactorsRecord
    limits: tuple[LimitRecord, ...]
    reasons: tuple[str, ...]
    recipe: Recipe
    spent: float
    larger: str | None = None
    coefficients: CoefficientsRecord | None = None
    latency: str | None = None
    weights: str | None = None
    weights_network: str | None = None
    seconds_per_epoch: float | None = None


class LargerRecord(Line, frozen=True, kw_only=True, tag="fit_larger"):
    """Whether the network of twice the cost is trained, decided once the answer is.

    Attributes:
        epochs: of its training; 0: it is not trained.
        reason: in a sentence.
    """

    epochs: int
    reason: str


class ShippedRecord(Line, frozen=True, kw_only=True, tag="fit_shipped"):
    """The file that was exported.

    Attributes:
        file: its name below the folder.
        files: bytes of each file by its name.
        sha256: of each, hexadecimal.
        proof: in words.
        runtime: what ran the file for the proof.
        choice: why this format, where the fastest was chosen.
    """

    file: str
    files: dict[str, int]
    sha256: dict[str, str]
    proof: str
    runtime: str
    choice: str | None = None


class ClassScore(msgspec.Struct, frozen=True, kw_only=True):
    """A class in the test: its images, and those that were classified correctly."""

    name: str
    images: int
    correct: int


class LargerScore(msgspec.Struct, frozen=True, kw_only=True):
    """The network of twice the cost on the same images.

    Attributes:
        correct: images that it classifies correctly.
        gained: that it classifies correctly and the answer does not.
        lost: the other way round.
    """

    correct: int
    gained: int
    lost: int


class FitTestRecord(Line, frozen=True, kw_only=True, tag="fit_test"):
    """The test of the exported file, on images that decided nothing.

    Attributes:
        split: of the data, as `triscale evaluate` names it.
        images, correct: of the test.
        classes: the same by class.
        larger: the network of twice the cost; None where it was not trained.
    """

    split: str
    images: int
    correct: int
    classes: tuple[ClassScore, ...]
    larger: LargerScore | None = None


FitLine = FitRecord | FitPlanRecord | LargerRecord | ShippedRecord | FitTestRecord
