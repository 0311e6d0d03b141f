"""An architecture search sorted for reading: what was tried, how well, and what was trained to the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from triscale import intervals
from triscale.costs import count_resolved
from triscale.errors import InputError
from triscale.report.study_facts import Scores
from triscale.spec import Network, resolve
from triscale.trials import TEST, VALIDATION, Stored, Trial
from triscale.trials.searches.rung_records import RungRecord
from triscale.trials.searches.search_front import axes_in, front_so_far
from triscale.trials.searches.search_outcomes import Outcome, outcomes
from triscale.trials.searches.search_records import FinalistRecord, FoundRecord, SearchRecord


class Sizes(NamedTuple):
    """Counted params and MACs of a network, and its blocks between stem and head."""

    params: int
    macs: int
    blocks: int


class Tried(NamedTuple):
    """A network that was proposed and trained; each once."""

    number: int
    id: str
    name: str
    accuracy: float
    score: float
    sizes: Sizes


@dataclass(frozen=True)
class SearchFacts:
    """A search as its store tells it; what has not been recorded yet is empty.

    Attributes:
        stored: what the store holds.
        record: of its beginning.
        found: its end; None before.
        outcomes: every proposal in order.
        tried: of them the networks that are trained, each once, in order.
        sizes: of every network of the search, by id.
        done, failed: the trials that ended, oldest first.
        longer: by the epochs of each rung above the trials, validation top-1 by the id of a network.
        front: of the networks that were tried those that none beats in accuracy and `axes`, by rising cost; until the
            search has ended the front so far.
        axes: the costs of the front.
        costs: these and the metrics of the limits.
        recorded: the costs of every network as the records hold them, by id.
    """

    stored: Stored
    record: SearchRecord
    found: FoundRecord | None
    outcomes: tuple[Outcome, ...]
    tried: tuple[Tried, ...]
    sizes: Mapping[str, Sizes]
    done: tuple[Trial, ...]
    failed: tuple[Trial, ...]
    longer: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    front: tuple[Tried, ...] = ()
    axes: tuple[str, ...] = ("macs",)
    costs: tuple[str, ...] = ("macs",)
    recorded: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def measure(self) -> str:
        """What scores are: the reward, once the search has recorded it, else the accuracy."""
        rewarded = self.record.question.get("objective") in ("soft", "hard")
        return "reward" if rewarded and self.found is not None and self.found.scores else "validation top-1"

    @property
    def best(self) -> Tried | None:
        """Of the networks that were tried, the one with the highest score."""
        return max(self.tried, key=lambda one: one.score, default=None)

    @property
    def shown(self) -> tuple[str, str] | None:
        """The network to draw beside the baseline: the id of the best finalist, or of the best so far, and its name."""
        for one in () if self.found is None else self.found.finalists:
            if one.rule != "baseline":
                return one.id, finalist(one)
        return None if self.best is None else (self.best.id, f"proposal {self.best.number}")

    @property
    def further(self) -> tuple[str, ...]:
        """The costs that no column shows anyway."""
        return tuple(one for one in self.costs if one not in Sizes._fields)

    def cost(self, id_: str, metric: str) -> float | None:
        """A cost of a network; None where the records do not hold it."""
        if metric in Sizes._fields:
            return float(getattr(self.sizes[id_], metric))
        return self.recorded.get(id_, {}).get(metric)

    def sampling(self, accuracy: float) -> tuple[float, float]:
        """What the validation images can say about the accuracy of one training: Wilson's 95% interval."""
        images = self.record.data.validation
        return intervals.wilson(accuracy * images, images)

    def network(self, id_: str) -> Network:
        """The network of an id."""
        found = self.stored.network(id_)
        assert isinstance(found, Network)  # noqa: S101  a space holds no others
        return found

    def last(self, id_: str, metric: str) -> Scores:
        """A metric of the last trainings of a network, over seeds."""
        epochs, trials = self.record.final_epochs, self.stored.by_network().get(id_, [])
        own = [one for one in trials if one.state == "done" and one.epochs == epochs]
        return Scores(tuple(one.metrics[metric] for one in own if metric in one.metrics))

    def margin(self, metric: str, seeds: int) -> float | None:
        """The 95% margin of a mean over seeds, by the spread within networks, pooled; None with one seed each."""
        rows = () if self.found is None else self.found.finalists
        noise = intervals.pooled_deviation(self.last(one.id, metric).values for one in rows)
        return None if noise is None else intervals.seed_margin(noise, seeds)

    @property
    def tested(self) -> bool:
        """Whether the test was looked at."""
        return any(TEST in one.metrics for one in self.done)


def search_facts(stored: Stored) -> SearchFacts:
    """Sort what a store holds of a finished or unfinished search.

    Raises:
        InputError: it holds no search.
    """
    record, found = stored.one(SearchRecord), stored.one(FoundRecord)
    if record is None:
        raise InputError("the folder holds no architecture search.")
    all_ = tuple(outcomes(stored))
    ids = dict.fromkeys((record.baseline, *(one.proposal.network for one in all_)))
    sizes = {one: _sizes(stored, one) for one in ids}
    scores = {} if found is None else found.scores
    tried = [_tried(stored, one, scores, sizes) for one in all_ if one.proposal.repeats is None]
    costs = tuple(all_[0].proposal.costs) if all_ else ()
    axes = axes_in(record.question, costs)
    by_id = {one.id: one for one in tried if one is not None}
    front = [one.proposal.network for one in front_so_far(all_, axes)] if found is None else found.front
    return SearchFacts(
        stored=stored, record=record, found=found, outcomes=all_, sizes=sizes, axes=axes, costs=costs or axes,
        recorded={record.baseline: record.costs} | {one.proposal.network: one.proposal.costs for one in all_},
        tried=tuple(by_id.values()), front=tuple(by_id[one] for one in front if one in by_id),
        done=tuple(one for one in stored if one.state == "done"),
        failed=tuple(one for one in stored if one.state == "failed"),
        longer={one.epochs: _longer(stored, record, one) for one in stored.all(RungRecord)},
    )  # fmt: skip


def _longer(stored: Stored, record: SearchRecord, rung: RungRecord) -> dict[str, float]:
    """Validation top-1 after the trainings of a rung, by the id of a network."""
    own, seed = {*rung.promoted, *rung.drawn}, record.question["seed"]
    trials = ((id_, one) for id_, some in stored.by_network().items() if id_ in own for one in some)
    return {
        id_: one.metrics[VALIDATION]
        for id_, one in trials
        if (one.state, one.epochs, one.seed) == ("done", rung.epochs, seed)
    }


def finalist(one: FinalistRecord) -> str:
    """How a finalist is called."""
    return "baseline" if one.rule == "baseline" else f"proposal {one.number}"


def _tried(
    stored: Stored, one: Outcome, scores: Mapping[str, tuple[float, ...]], sizes: Mapping[str, Sizes]
) -> Tried | None:
    proposal = one.proposal
    if one.accuracy is None:
        return None
    score = scores.get(proposal.network, (one.accuracy,))[0]
    name = stored.network(proposal.network).name
    return Tried(proposal.number, proposal.network, name, one.accuracy, score, sizes[proposal.network])


def _sizes(stored: Stored, id_: str) -> Sizes:
    found = stored.network(id_)
    assert isinstance(found, Network)  # noqa: S101  a space holds no others
    resolved = resolve(found)
    counts = count_resolved(resolved)
    return Sizes(counts.params, counts.macs, sum(run.repeats for run in resolved.runs if run.stage > 0))


__all__ = ["TEST", "VALIDATION", "SearchFacts", "Sizes", "Tried", "finalist", "search_facts"]
