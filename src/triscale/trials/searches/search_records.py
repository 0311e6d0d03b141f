"""What an architecture search wrote down beside its trials: its question, what it proposed, and what it found."""

from collections.abc import Mapping
from typing import Any

import msgspec

from triscale.recipes import Recipe
from triscale.trials.searches.rung_records import RanksRecord
from triscale.trials.searches.worth_records import DrawnRecord, EffectsRecord, GuessingRecord, PredictorRecord, Value
from triscale.trials.study_records import BegunRecord, Line
from triscale.trials.surface_records import Interval


class SearchRecord(BegunRecord, frozen=True, kw_only=True, tag="search"):
    """The beginning of an architecture search.

    Attributes:
        space: the search space as a document.
        size: combinations of its choices.
        baseline: id of the network that is to be beaten.
        costs: of it, by the metrics of a proposal; empty in older searches.
        epochs, train_size: of each trial.
        final_epochs: of the trainings that compare the best with the baseline.
        trials: how many are proposed.
        predicted_seconds: of all trainings.
        recipe: of each of them, but for its epochs.
    """

    space: Mapping[str, Any]
    size: int
    baseline: str
    epochs: int
    train_size: int
    final_epochs: int
    trials: int
    predicted_seconds: float
    recipe: Recipe
    costs: Mapping[str, float] = {}


class ProposalRecord(Line, frozen=True, kw_only=True, tag="proposal"):
    """A network that the sampler proposed.

    Attributes:
        number: from 0; proposals are numbered in their order.
        chosen: the values of the space's choices.
        network: id.
        costs: of it, by the metrics of the objective and the budget.
        repeats: number of the first proposal of the same network; None for a new one.
    """

    number: int
    chosen: Mapping[str, Value]
    network: str
    costs: Mapping[str, float]
    repeats: int | None = None


class FinalistRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A network that was trained to the end with several seeds.

    Attributes:
        id: of the network.
        rule: `baseline`, or `found`.
        number: of its proposal; None for the baseline.
        n: seeds.
        costs: by name; those of an engine as predicted.
        measured: seconds of a step, where the search had to do with latency.
        clean: whether the machine was quiet when that was measured.
        score: what the objective ranks by: the reward of the validation top-1 and the costs, where there is one; else
            the validation top-1, of a front too. None in older searches, which ranked by validation top-1.
        breaks: names of the limits that it breaks; a proposal breaks none but latency, as measured.
        validation, test: mean top-1; test None where it was not looked at.
        difference: mean of its validation top-1 minus the baseline's, paired by seed; None for the baseline.
        interval: of that, 95%.
    """

    id: str
    rule: str
    n: int
    costs: Mapping[str, float]
    validation: float
    number: int | None = None
    test: float | None = None
    difference: float | None = None
    interval: Interval | None = None
    measured: float | None = None
    clean: bool = True
    score: float | None = None
    breaks: tuple[str, ...] = ()

    @property
    def only_compared(self) -> bool:
        """Whether it is no network to take: a baseline that breaks a limit, and that was not proposed."""
        return self.number is None and self.rule == "baseline" and bool(self.breaks)


class FoundRecord(Line, frozen=True, kw_only=True, tag="found"):
    """What the search found.

    Attributes:
        best: id of the network to take: of the finalists that keep the limits the one with the best score.
        finalists: trained to the end, the best first; the baseline among them, the last if it breaks a limit.
        front: ids of the proposals that none beats in accuracy and cost, by rising cost.
        lines: the answer.
        scores: what the sampler maximised, by the id of each network that was trained; several numbers for a front.
        effects: what each choice is worth; None where trials were too few.
        predictors: how well trivial numbers rank the trials.
        drawn: the sampler's own proposals beside those drawn at random; None where it drew none, or has no other.
        guessing: the trials beside guessing; None in older searches.
        ranks: between every two lengths of training, how well the shorter one ranked the networks.
    """

    best: str
    finalists: tuple[FinalistRecord, ...]
    front: tuple[str, ...]
    lines: tuple[str, ...]
    scores: Mapping[str, tuple[float, ...]] = {}
    effects: EffectsRecord | None = None
    predictors: tuple[PredictorRecord, ...] = ()
    drawn: DrawnRecord | None = None
    guessing: GuessingRecord | None = None
    ranks: tuple[RanksRecord, ...] = ()
