"""The proposals of a search: it asks the sampler for one after another, and tells it what the store knows of each."""

from collections.abc import Callable, Mapping

from triscale.errors import InputError
from triscale.search.architecture import Space
from triscale.search.explorations.rungs.hopeless import floors
from triscale.search.samplers import Asked, Sampler
from triscale.search.trainings.campaign import Campaign
from triscale.search.trainings.shared_terms import Training
from triscale.spec import Network, content_hash
from triscale.trials import ENDED, VALIDATION, Trial, TrialStore
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
        stops: whether a training is stopped where it is behind most of the trials that its proposal knows.
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
        *,
        stops: bool = False,
    ) -> None:
        self._store, self._space, self._sampler, self._trials = store, space, sampler, trials
        self._training, self._costs, self._score, self._stops = training, costs, score, stops
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
            training = self._propose(campaign)
            key = campaign.key_of(training)
            if key not in self._given and settled(campaign.trial_of(training)) is None:
                found.append(training)
            self._given[key] = None
        return found

    def _propose(self, campaign: Campaign) -> Training:
        asked = self._sampler.ask()
        network = self._space.network(asked)
        costs = dict(self._costs(network))
        training = self._with_floors(campaign, asked.number, self._training(network), costs)
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

    def _with_floors(self, campaign: Campaign, number: int, training: Training, costs: Costs) -> Training:
        """The training, and below which accuracy it is stopped; the trials that its proposal knows decide."""
        if not self._stops:
            return training
        known = {one.key: (one, costs) for _, one, costs in self._asked[: max(0, number - self._sampler.lag + 1)]}
        trials = [(campaign.trial_of(one), costs) for one, costs in known.values()]
        earlier = [self._course(trial, costs) for trial, costs in trials if trial and trial.state != "failed"]
        per_accuracy = self._one(1.0, costs)
        found = floors(earlier, training.epochs)
        return training._replace(floors=tuple(None if one is None else one / per_accuracy for one in found))

    def _course(self, trial: Trial, costs: Costs) -> list[float]:
        return [self._one(epoch.validation_top1, costs) for epoch in trial.history]

    def _one(self, accuracy: float, costs: Costs) -> float:
        """The score as one number; it grows in proportion to the accuracy."""
        score = self._score(accuracy, costs)
        assert isinstance(score, float)  # noqa: S101  the question rejects fronts
        return score

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
                top1 = accuracy_reported(trial)
                self._sampler.tell(asked, None if top1 is None else self._score(top1, costs), costs)


def settled(trial: Trial | None) -> Trial | None:
    """The trial, if something came of it. One that failed has failed: later proposals know it as that."""
    return trial if trial is not None and trial.state in ENDED else None


def accuracy_reported(trial: Trial) -> float | None:
    """The accuracy that the sampler receives of a trial that has ended; None for one that failed.

    Of one that was stopped it hears the accuracy then, which is too low and measured: a bad network, and no failure.
    """
    if trial.state == "stopped":
        return trial.history[-1].validation_top1
    return trial.metrics.get(VALIDATION) if trial.state == "done" else None
