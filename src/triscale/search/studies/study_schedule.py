"""The schedule of a study: what its store says is planned, what is left of it, and the rounds of the search."""

from collections.abc import Collection, Iterable, Sequence

from triscale.errors import InputError
from triscale.search.coefficients.candidates import Candidate, recorded
from triscale.search.coefficients.rivals import rivals_of
from triscale.search.decisions.late import kept_to_time
from triscale.search.decisions.rounds import next_asked
from triscale.search.measuring.timing import Speed
from triscale.search.planning.agenda import agenda
from triscale.search.planning.training_length import EVALUATION
from triscale.search.studies.question import Question
from triscale.search.trainings.campaign import Campaign, network_in
from triscale.search.trainings.first_record import event
from triscale.search.trainings.prepared import Prepared
from triscale.search.trainings.progress import StudyProgress
from triscale.search.trainings.shared_terms import Training
from triscale.spec import AnyNetwork, content_hash
from triscale.trials import TrialStore
from triscale.trials.study_records import (
    ChoiceRecord,
    FamilyRecord,
    MemberRecord,
    NetworkRecord,
    PlanRecord,
    RoundRecord,
)


class Schedule:
    """The trainings of a study, in their order.

    Args:
        store: of the study, with its plan.
        question: of the study.
        baseline: its network.
        speed: seconds that an image takes.
        jobs: trainings at a time.
        validation: images of it.
        progress: hears about the work.
        ready: renders images.
    """

    def __init__(
        self,
        store: TrialStore,
        question: Question,
        baseline: AnyNetwork,
        *,
        speed: Speed,
        jobs: int,
        validation: int,
        progress: StudyProgress,
        ready: Prepared,
    ) -> None:
        self._store, self._question, self._baseline = store, question, baseline
        self._speed, self._jobs, self._validation, self._progress = speed, jobs, validation, progress
        self._ready = ready

    @property
    def plan(self) -> PlanRecord:
        """As the store has it; InputError without one."""
        found = self._store.one(PlanRecord)
        if found is None:
            raise InputError(f"{self._store.path} holds no plan; start the study again in an empty folder.")
        return found

    @property
    def members(self) -> Sequence[MemberRecord]:
        """Of the family; none before it is known."""
        return found.members if (found := self._store.one(FamilyRecord)) else ()

    @property
    def candidates(self) -> list[Candidate]:
        """Of the plan, with their networks."""
        records = self.plan.candidates
        return [recorded(*pair) for pair in zip(records, self.networks(records), strict=True)]

    def networks(self, records: Iterable[NetworkRecord]) -> list[AnyNetwork]:
        """The networks of some records."""
        return [network_in(self._store, one.id, self._baseline) for one in records]

    def train(self, campaign: Campaign, purposes: Collection[str], title: str, *, asked_only: bool = False) -> None:
        """Train what these purposes lack, and members of the family whose weights are gone."""
        everything = self.agenda(asked_only=asked_only)
        left = [one for one in everything if not self.is_settled(campaign, one)]
        seconds = {one: self._predicted(one) / self._jobs for one in left}
        wanted = [one for one in left if one.purpose in purposes or self._is_member(one)]
        waiting = sorted(wanted, key=lambda one: (one.seed, -seconds[one]))
        if waiting:
            self._ready.learned({one.network.resolution for one in waiting})
            self._progress.say(f"{title}: {len(waiting)} trainings")
        took = sum(map(campaign.seconds_of, everything)) / self._jobs
        shares = {campaign.key_of(one): share for one, share in seconds.items()}
        self._progress.agenda(shares, len(everything) - len(left), took)
        campaign.train(waiting)

    def tell_resumed(self, campaign: Campaign) -> None:
        """How much is done, and how much was done and is trained again."""
        everything = self.agenda()
        there = [self.is_settled(campaign, one) for one in everything]
        ended = [campaign.is_settled(one, weights=False) for one in everything]
        self._progress.resumed(sum(there), sum(ended) - sum(there), len(everything))

    def is_settled(self, campaign: Campaign, training: Training) -> bool:
        """Whether nothing is left to do of it; the weights of candidates that were not chosen are not needed."""
        needed = training.purpose == "baseline" or self._is_member(training)
        return campaign.is_settled(training, weights=needed)

    def _is_member(self, training: Training) -> bool:
        return content_hash(training.network) in {one.id for one in self.members}

    def search(self, campaign: Campaign) -> None:
        """Round after round, each decided by the trials of those before it."""
        while True:
            if rounds := len(self._store.all(RoundRecord)):
                self.train(campaign, {"search"}, f"round {rounds}", asked_only=True)
                self._keep_to_time(campaign)
            new = next_asked(self._store, self.plan, self._validation)
            if new is None:
                return
            self._store.add(new)

    def _keep_to_time(self, campaign: Campaign) -> None:
        """Plan fewer trainings of candidates where those so far took longer than predicted."""
        plan, time = self.plan, self._question.time
        if time is None:
            return
        predicted = {one: self._predicted(one) for one in self.agenda()}
        took = {one: campaign.seconds_of(one) for one in predicted if self.is_settled(campaign, one)}
        spent = plan.pilot.seconds if plan.pilot else 0.0
        change = kept_to_time(plan, predicted, took, self._jobs, time - spent, len(self._asked()))
        if change is not None:
            self._store.add(change.plan)
            self._store.add(event(change.text))
            self._progress.say(f"{change.text}.")

    def _predicted(self, training: Training) -> float:
        """Seconds of one worker."""
        samples = self.plan.train_size + EVALUATION * self._validation
        return self._speed(training.network) * training.epochs * samples

    def agenda(self, *, asked_only: bool = False) -> list[Training]:
        """All trainings, as far as the store tells them; `asked_only` leaves out what stands in for others."""
        plan, members, asked = self.plan, self.members, self._asked()
        phis = sorted({one.phi for one in members if one.phi > 0}) or plan.phis
        ended = asked_only or self._store.one(ChoiceRecord) is not None
        return agenda(
            self._baseline, self.candidates, phis, plan.seeds, plan.epochs, len(asked) if ended else plan.search,
            at_phi=self._question.at_phi, asked=asked, members=self.networks(members) or None,
            rivals=rivals_of(self._question.rival_names),
        )  # fmt: skip

    def _asked(self) -> list[tuple[AnyNetwork, int]]:
        """The trainings of all rounds."""
        pairs = [one for asked in self._store.all(RoundRecord) for one in asked.trainings]
        return [(network_in(self._store, one.id, self._baseline), one.seed) for one in pairs]
