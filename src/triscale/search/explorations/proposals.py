"""The proposals of a search: it asks the sampler for one after another, and tells it what the store knows of each."""

from collections.abc import Callable, Mapping

from triscale.errors import InputError
from triscale.search.architecture import Space
from triscale.search.samplers import Asked, Sampler
from triscale.search.trainings.campaign import Campaign
from triscale.search.trainings.shared_terms import Training
from triscale.spec import Network, content_hash
from triscale.trials import VALIDATION, Trial, TrialStore
from triscale.trials.searches.search_records import ProposalRecord

Costs = Mapping[str, float]
Score = Callable[[float, Costs], float | tuple[float, ...]]


class Proposals:
    """What a sampler proposes, and what came of it; after an interruption it proposes the same again.

    Args:
        store: of the search, open.
        space: of the networks.
        sampler: nobody else asks it or tells it anything.
        trials: how many are proposed.
        training: the training of a network.
        costs: of a network, by name.
        score: of an accuracy and costs; what the sampler maximises.
    """

    def __init__(
        self,
        store: TrialStore,
        space: Space,
        sampler: Sampler,
        trials: int,
        training: Callable[[Network], Training],
        costs: Callable[[Network], Costs],
        score: Score,
    ) -> None:
        self._store, self._space, self._sampler, self._trials = store, space, sampler, trials
        self._training, self._costs, self._score = training, costs, score
        self._asked: list[tuple[Asked, Training, Costs]] = []
        self._given: dict[str, None] = {}

    @property
    def keys(self) -> tuple[str, ...]:
        """Of the trials of all proposals, each once."""
        return tuple(self._given)

    @property
    def proposed(self) -> int:
        """How many proposals there are."""
        return len(self._asked)

    def next(self, campaign: Campaign) -> list[Training]:
        """Tell the sampler what it waits for, ask for all that it may propose now, and return what is to be trained.

        Raises:
            InputError: the store holds other proposals, or nothing keeps the budget.
        """
        found = []
        while len(self._asked) < self._trials:
            self._tell(campaign)
            if not self._sampler.ready:
                break
            training = self._propose()
            key = campaign.key_of(training)
            if key not in self._given and settled(campaign.trial_of(training)) is None:
                found.append(training)
            self._given[key] = None
        return found

    def _propose(self) -> Training:
        asked = self._sampler.ask()
        network = self._space.network(asked)
        training, costs = self._training(network), dict(self._costs(network))
        record = ProposalRecord(
            number=asked.number, chosen=dict(asked), network=content_hash(network), costs=costs, repeats=asked.repeats
        )
        known = self._store.all(ProposalRecord)
        if len(known) > asked.number:
            self._check(known[asked.number], record)
        else:
            self._store.add(record, [network])
        self._asked.append((asked, training, costs))
        return training

    def _check(self, known: ProposalRecord, record: ProposalRecord) -> None:
        if known != record:
            raise InputError(
                f"proposal {record.number} is another one than the store holds: the space, triscale or a package that "
                "samples is not as it was.\nUse another --out."
            )

    def _tell(self, campaign: Campaign) -> None:
        for number in self._sampler.waits_for:
            asked, training, costs = self._asked[number]
            trial = settled(campaign.trial_of(training))
            if trial is not None:
                top1 = trial.metrics.get(VALIDATION) if trial.state == "done" else None
                self._sampler.tell(asked, None if top1 is None else self._score(top1, costs), costs)


def settled(trial: Trial | None) -> Trial | None:
    """The trial, if something came of it. One that failed has failed: later proposals know it as that."""
    return trial if trial is not None and trial.state in ("done", "failed") else None
