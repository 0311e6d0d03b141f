"""`study`: from images, a baseline and a budget to coefficients, a family, and the evidence for them.

Everything is decided by validation accuracy; the test is looked at once, after the choice. Each step reads the store,
does what is missing and appends, so that an interrupted study resumes and loses at most the trainings in flight.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import torch

from triscale.costs import Target
from triscale.errors import InputError
from triscale.foreign import count_any, known_any
from triscale.recipes import Recipe
from triscale.scaling import Coefficients, any_network
from triscale.search.coefficients.baselines import baseline_of
from triscale.search.coefficients.candidates import recorded
from triscale.search.coefficients.family import family
from triscale.search.coefficients.overfitting import rivals_in
from triscale.search.coefficients.rivals import rivals_of
from triscale.search.studies.agenda import Training, agenda
from triscale.search.studies.campaign import Campaign, network_in, terms_of
from triscale.search.studies.finish import best_member, draw_maps, restore_answer, test_accuracy, untested, write_answer
from triscale.search.studies.first_record import changed_since, event, study_record
from triscale.search.studies.late import kept_to_time
from triscale.search.studies.limits import study_target
from triscale.search.studies.make_choice import make_choice
from triscale.search.studies.pilot import PILOT_SHARE, run_pilot
from triscale.search.studies.plan import EVALUATION, StudyPlan, make_plan
from triscale.search.studies.prepared import Prepared
from triscale.search.studies.progress import Quiet, StudyProgress
from triscale.search.studies.question import Question
from triscale.search.studies.rounds import next_asked
from triscale.search.studies.study_policy import policy_of
from triscale.search.studies.timing import Speed, corners_of
from triscale.search.studies.work import opened
from triscale.search.studies.workers import LOCAL, Engine
from triscale.spec import AnyNetwork, ForeignNetwork, altered, content_hash, path_of_code
from triscale.training import data_use
from triscale.trials import TEST, Numerics, Stored, Trial, TrialStore
from triscale.trials.study_records import (
    AnswerRecord,
    CamRecord,
    ChoiceRecord,
    FamilyRecord,
    MemberRecord,
    NetworkRecord,
    PlanRecord,
    RoundRecord,
    StudyRecord,
)
from triscale.weights import Classifier, load_classifier

RUNS = Path("triscale-runs")


class Study:
    """A study in its folder, by default `triscale-runs/` and the hash of the question.

    `plan()` decides what to do, `run()` does what is missing.

    Args:
        question: of the study.
        folder: of the study alone; the same question in it resumes.
        jobs: trainings at a time.
        numerics: on what each of them computes.
        progress: hears of it.
        loader_workers: of each training.
        engine: what runs the trainings; processes of this machine by default.
        baseline: instead of the network that the question names.
    """

    def __init__(
        self,
        question: Question,
        folder: Path | None = None,
        *,
        jobs: int,
        numerics: Numerics,
        progress: StudyProgress | None = None,
        loader_workers: int = 0,
        engine: Engine = LOCAL,
        baseline: AnyNetwork | None = None,
    ) -> None:
        self.question, self.jobs, self.progress = question, jobs, progress or Quiet()
        self.engine = engine
        self._policy = policy_of(question, folder)
        self.source = opened(question.data, self._policy, afresh=True)
        named = baseline or any_network(question.network)
        self.baseline = known_any(altered(named, classes=len(self.source.classes)))
        self.folder = folder or RUNS / self.hash
        self._terms = terms_of(
            question, self.baseline, self.source, self._policy, numerics, loader_workers, self.progress.say
        )
        self._speed = Speed(self._terms.job, numerics, partial(corners_of, self.baseline, question.at_phi))
        self._ready = Prepared(self.source, question.seed, self.progress.say)
        self._store: TrialStore

    @property
    def hash(self) -> str:
        """12 hex digits that name the question and the content of its data."""
        return self.question.hash(self.source.fingerprint, content_hash(self.baseline))

    @property
    def numerics(self) -> Numerics:
        """Of each training."""
        return self._terms.numerics

    @property
    def recipe(self) -> Recipe:
        """Of its trainings, with nothing left open."""
        return self._terms.job.recipe

    @property
    def counts(self) -> dict[str, int]:
        """Images to train on, to validate on and to test on."""
        source, asked = self.source, self.question
        split = source.training_split(train_size=asked.train_size, seed=asked.seed)
        return {"train": len(split.training), "validation": len(split.validation), "test": len(source.labels("test"))}

    def plan(self) -> StudyPlan:
        """Candidates, lengths and predicted time.

        A few training steps are timed for it. Where a time sizes the trainings, a pilot shows what the baseline needs.
        """
        say, question = self.progress.say, self.question
        pilot = None
        if question.time is not None and None in (question.epochs, question.train_size):
            say("learning how many steps the baseline needs")
            pilot = run_pilot(self._terms.job, self.source, self.numerics, PILOT_SHARE * question.time)
        say("timing a few training steps")
        plan = make_plan(
            question, self.baseline, self.counts, self._speed, self.jobs, self.recipe, self._target,
            self.source.native, pilot,
        )  # fmt: skip
        for remark in (baseline_of(self.baseline).remark, self._speed.remark, *plan.remarks(self.counts["validation"])):
            if remark:
                say(remark)
        return plan

    @property
    def _target(self) -> Target:
        """What the limits are held against: the trainings of this study, by its recipe."""
        numerics = self.numerics
        return study_target(self.question.budget, self.recipe, threads=numerics.threads, device=numerics.device)

    def run(self) -> Stored:
        """Do all that is missing, and return the store, the answer last.

        Raises:
            InputError: the folder holds another study, the data changed, or every candidate failed.
            BusyError: another process works in the folder.
            OutputError, StorageError: the folder cannot be written.
        """
        with TrialStore(self.folder) as self._store:
            resumed = self._begin()
            answer = self._store.one(AnswerRecord)
            if answer is not None:  # what failed is not tried again: it would speak against the answer
                restore_answer(self._store, answer, self._plan)
                return self._store
            with self._campaign() as campaign:
                if resumed:
                    self.progress.resumed(sum(map(campaign.is_settled, self._agenda())), len(self._agenda()))
                if self._store.one(ChoiceRecord) is None:  # what comes later changes no choice
                    self._train(campaign, {"baseline"}, "baseline")
                    self._search(campaign)
                    self._choose()
                self._make_family(campaign)
                self._train(campaign, {"family", "compute"}, "family, rivals and equal compute")
                self._test(campaign)
                self._explain(campaign)
                self._answer(campaign)
            return self._store

    @contextmanager
    def _campaign(self) -> Iterator[Campaign]:
        data, threads = self.question.data, self.numerics.threads
        if self.engine.name == "ray" and isinstance(self.baseline, ForeignNetwork):
            self.progress.say(f"every node imports {self.baseline.path}: its package must be installed there")
        workers = self.engine.workers(self.jobs, threads, data, self.folder, self.progress.say)
        self._terms = replace(self._terms, shared=workers.shared)
        try:
            yield Campaign(self._store, self._terms, workers.executor, self.progress)
        finally:
            workers.executor.close()

    def _begin(self) -> bool:
        """Whether there is something to resume: a plan, and no answer."""
        store, known = self._store, self._store.one(StudyRecord)
        resumed = store.one(PlanRecord) is not None and store.one(AnswerRecord) is None
        if known.question_hash != self.hash if known else len(store):
            held = "another study (or its data changed)" if known else "a training, not a study"
            raise InputError(f"{self.folder} holds {held}.\nUse another --out, or leave it out.")
        for text in changed_since(known, self.source, self.numerics) if known else ():
            store.add(event(text))
            self.progress.say(f"warning: {text}.")
        if known is None:
            store.add(study_record(self.question, self.hash, self.source, self.counts, self.numerics, self.jobs))
        if store.one(PlanRecord) is None:
            plan = self.plan()
            store.add(
                plan.record(self.question, self.source.native), [self.baseline, *(c.network for c in plan.candidates)]
            )
        size, job = self._plan.train_size, self._terms.job
        job = replace(job, data=data_use(self.source, seed=job.data.seed, subset=size), recipe=self._plan.recipe)
        self._terms = replace(self._terms, job=job, images=size)
        return resumed

    @property
    def _plan(self) -> PlanRecord:
        plan = self._store.one(PlanRecord)
        if plan is None:
            raise InputError(f"{self._store.path} holds no plan; start the study again in an empty folder.")
        return plan

    @property
    def _members(self) -> Sequence[MemberRecord]:
        return found.members if (found := self._store.one(FamilyRecord)) else ()

    def _networks(self, records: Iterable[NetworkRecord]) -> list[AnyNetwork]:
        return [network_in(self._store, one.id, self.baseline) for one in records]

    def _train(self, campaign: Campaign, purposes: Collection[str], title: str, *, asked_only: bool = False) -> None:
        """Train what these purposes lack."""
        everything = self._agenda(asked_only=asked_only)
        left = [one for one in everything if not campaign.is_settled(one)]
        seconds = {one: self._predicted(one) / self.jobs for one in left}
        waiting = sorted((one for one in left if one.purpose in purposes), key=lambda one: -seconds[one])
        if waiting:
            if self.recipe.crop != "random":  # before workers ask for the same ones at once
                self._ready.learned({one.network.resolution for one in waiting})
            self.progress.say(f"{title}: {len(waiting)} trainings")
        took = sum(map(campaign.seconds_of, everything)) / self.jobs
        shares = {self._terms.job_of(one).key: share for one, share in seconds.items()}
        self.progress.agenda(shares, len(everything) - len(left), took)
        campaign.train(waiting)

    def _search(self, campaign: Campaign) -> None:
        """Round after round, each decided by the trials of those before it."""
        while True:
            if self._store.all(RoundRecord):
                self._train(campaign, {"search"}, f"round {len(self._store.all(RoundRecord))}", asked_only=True)
            self._keep_to_time(campaign)
            new = next_asked(self._store, self._plan, self.counts["validation"])
            if new is None:
                return
            self._store.add(new)

    def _keep_to_time(self, campaign: Campaign) -> None:
        """Plan fewer trainings of candidates where those so far took longer than predicted."""
        if self.question.time is None or not self._store.all(RoundRecord):
            return
        plan, everything = self._plan, self._agenda()
        predicted = {one: self._predicted(one) for one in everything}
        took = {one: campaign.seconds_of(one) for one in everything if campaign.is_settled(one)}
        spent = plan.pilot.seconds if plan.pilot else 0.0
        asked = sum(len(one.trainings) for one in self._store.all(RoundRecord))
        change = kept_to_time(plan, predicted, took, self.jobs, self.question.time - spent, asked)
        if change is not None:
            self._store.add(change.plan)
            self._store.add(event(change.text))
            self.progress.say(f"{change.text}.")

    def _predicted(self, training: Training) -> float:
        """Seconds of one worker."""
        samples = self._plan.train_size + EVALUATION * self.counts["validation"]
        return self._speed(training.network) * training.epochs * samples

    def _agenda(self, *, asked_only: bool = False) -> list[Training]:
        """All trainings, as far as the store tells them; `asked_only` leaves out what stands in for others."""
        plan, members, asked = self._plan, self._members, self._asked()
        known = [recorded(*pair) for pair in zip(plan.candidates, self._networks(plan.candidates), strict=True)]
        phis = sorted({one.phi for one in members if one.phi > 0}) or plan.phis
        ended = asked_only or self._store.one(ChoiceRecord) is not None
        return agenda(
            self.baseline, known, phis, plan.seeds, plan.epochs, len(asked) if ended else plan.search,
            at_phi=self.question.at_phi, asked=asked, members=self._networks(members) or None,
            rivals=rivals_of(self.question.rival_names),
        )  # fmt: skip

    def _asked(self) -> list[tuple[AnyNetwork, int]]:
        """The trainings of all rounds."""
        pairs = [one for asked in self._store.all(RoundRecord) for one in asked.trainings]
        return [(network_in(self._store, one.id, self.baseline), one.seed) for one in pairs]

    def _choose(self) -> None:
        self._store.add(
            make_choice(
                self._store, self._plan, self.counts["validation"], len(self.source.classes), self.question.at_phi
            )
        )

    def _make_family(self, campaign: Campaign) -> None:
        store, plan = self._store, self._plan
        if store.one(FamilyRecord) is None:
            choice = store.one(ChoiceRecord)
            assert choice is not None  # noqa: S101  `_choose` wrote it
            networks = self._networks(plan.candidates)
            known = {one.id: recorded(one, its) for one, its in zip(plan.candidates, networks, strict=True)}
            corners = {one.rule: one for one in known.values() if one.rule != "grid"}
            trained, say = partial(self._classifier, campaign), self.progress.say
            rivals = rivals_in(store, self.question, plan, self.source, trained, say)
            coefficients = Coefficients(*msgspec.structs.astuple(choice.coefficients))
            members = family(
                self.baseline, coefficients, plan.phi, self.question.budget, self._target, corners,
                known[choice.chosen], rivals, at_phi=self.question.at_phi,
            )  # fmt: skip
            macs, native = count_any(self.baseline).macs, self.source.native
            record = FamilyRecord(members=tuple(member.record(macs, native) for member in members))
            store.add(record, [member.network for member in members])
        if self.recipe.crop != "random":
            self._ready.tested({one.resolution for one in self._networks(self._members)})

    def _test(self, campaign: Campaign) -> None:
        waiting = untested(self._store, self._members)
        if waiting:
            self.progress.say(f"testing {len(waiting)} networks on {self.counts['test']} pictures")
        for trial in waiting:
            found = self._classifier(campaign, trial)
            metrics = {**trial.metrics, TEST: test_accuracy(found, self.source)}
            self._store.put(replace(trial, metrics=metrics))

    def _classifier(self, campaign: Campaign, trial: Trial) -> Classifier:
        """What a trial trained, on the device; a foreign network's code is the one that the user named."""
        found = load_classifier(campaign.checkpoint(trial), network=path_of_code(self.baseline))
        return found.on(torch.device(self.numerics.device))

    def _explain(self, campaign: Campaign) -> None:
        if self._store.one(CamRecord) is not None or isinstance(self.baseline, ForeignNetwork):
            return  # of a foreign network the last map is unknown
        self.progress.say("drawing class activation maps")
        draw_maps(self._store, self.source, self._members, self._plan, partial(self._classifier, campaign))

    def _answer(self, campaign: Campaign) -> None:
        best, trial = best_member(self._store, self._members, self._plan)
        write_answer(self._store, best, campaign.checkpoint(trial))
