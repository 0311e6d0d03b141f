"""What an architecture search learned beside its answer: what each choice is worth, and what is as good a guess."""

import msgspec

from triscale.trials.surface_records import Interval

Value = str | int | float | bool | None


class EffectRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a value of a choice adds to the score, against the mean over the values of the choice that were tried.

    Attributes:
        choice, value: of the space.
        n: trials that had it.
        effect, interval: and its 95% interval; None where the trials cannot tell it from another choice.
    """

    choice: str
    value: Value
    n: int
    effect: float | None = None
    interval: Interval | None = None


class EffectsRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An additive model of the score of all trials that are done.

    Attributes:
        method: `least squares`, or `ridge` where trials are too few for it: effects are drawn towards 0.
        n: trials.
        freedom: degrees of freedom of the noise.
        noise: standard deviation of what the model leaves, in the unit of the score.
        explained: share of the variance of the score that is not noise (adjusted R^2).
        effects: of each value that was tried, in the order of the space.
    """

    method: str
    n: int
    freedom: int
    noise: float
    explained: float
    effects: tuple[EffectRecord, ...]


class PredictorRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How well a trivial number ranks the trials.

    Attributes:
        name: `params`, `macs` or `depth` (blocks).
        tau, interval: Kendall's tau-b with the score, and its 95% interval; None where either has one value only.
        accuracy_tau: the same with the accuracy alone.
    """

    name: str
    tau: float | None = None
    interval: Interval | None = None
    accuracy_tau: float | None = None


class GuessingRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The trials beside guessing.

    Attributes:
        accuracy: top-1 on the validation images of always naming their most frequent class.
        images: of the validation.
        n: trials that are done.
        best: the highest accuracy of them.
        low: the lower end of its interval (Wilson), 95% for all n trials together (Bonferroni).
    """

    accuracy: float
    images: int
    n: int
    best: float
    low: float

    @property
    def beaten(self) -> bool:
        """Whether some trial is better than guessing, beyond what the best of n guessers would reach."""
        return self.low > self.accuracy


class DrawnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The sampler's own proposals beside those that it drew at random, before it knew anything.

    Attributes:
        n, best, mean: trials that were drawn and are done, and their scores.
        chosen, chosen_best, chosen_mean: the same of those that the sampler chose by what it knew.
        difference, interval: of the means, chosen minus drawn, and its 95% interval (Welch).
    """

    n: int
    best: float
    mean: float
    chosen: int
    chosen_best: float
    chosen_mean: float
    difference: float
    interval: Interval
