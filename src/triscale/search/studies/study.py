"""`study`: from images, a baseline and a budget to coefficients, a family, and the evidence for them.

Everything is decided by validation accuracy; the test is looked at once, after the choice. Each step reads the store,
does what is missing and appends, so that an interrupted study resumes and loses at most the trainings in flight.
"""

from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import msgspec
import torch

from triscale.costs import Target
from triscale.data.checks.enlarging import enlarging
from triscale.foreign import known_any
from triscale.latency.clocked_fit import Clock, fit_clocked
from triscale.latency.latency_metric import is_clocked
from triscale.latency.limited_on import limited_on
from triscale.latency.silent_watch import SilentWatch
from triscale.recipes import Recipe
from triscale.scaling import Coefficients, any_network
from triscale.search.coefficients.baselines import baseline_of
from triscale.search.coefficients.candidates import corners
from triscale.search.coefficients.equal_cost import EqualCost
from triscale.search.coefficients.family import Largest, family
from triscale.search.coefficients.overfitting import rivals_in
from triscale.search.decisions.make_choice import make_choice
from triscale.search.measuring.pilot import PILOT_SHARE, run_pilot
from triscale.search.measuring.timing import Speed, corners_of
from triscale.search.planning.plan import StudyPlan, make_plan
from triscale.search.studies.finish import best_member, draw_maps, restore_answer, untested, write_answer
from triscale.search.studies.question import Question
from triscale.search.studies.study_schedule import Schedule
from triscale.search.trainings.campaign import Campaign, open_campaign, terms_of
from triscale.search.trainings.first_record import RUNS, begun, data_facts, event, folder_option, image_counts, known_in
from triscale.search.trainings.image_policy import policy_of
from triscale.search.trainings.prepared import Prepared
from triscale.search.trainings.progress import Quiet, StudyProgress
from triscale.search.trainings.recipe_target import recipe_target
from triscale.search.trainings.testing import test_accuracy
from triscale.search.trainings.work import opened
from triscale.search.trainings.workers import LOCAL, Engine
from triscale.spec import AnyNetwork, ForeignNetwork, altered, content_hash, path_of_code
from triscale.training import data_use
from triscale.trials import TEST, Numerics, Stored, Trial, TrialStore
from triscale.trials.study_records import (
    AnswerRecord,
    CamRecord,
    ChoiceRecord,
    FamilyRecord,
    PlanRecord,
    StudyRecord,
)
from triscale.weights import Classifier, load_classifier


class Study:
    """A study in its folder, by default `triscale-runs/` and the hash of the question.

    `plan()` decides what to do, `run()` does what is missing.

    Args:
        question: of the study.
        folder: of the study alone; the same question in it resumes.
        jobs: trainings at a time.
        numerics: on what each of them computes.
        progress: hears about it.
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
        limited_on({*question.budget, question.cost}, question.target)  # a mistake is reported before anything is done
        self._policy = policy_of(question, folder)
        self.source = opened(question.data, self._policy, afresh=True)
        named = baseline or any_network(question.network)
        self.baseline = known_any(altered(named, classes=len(self.source.classes)))
        self.folder = folder or RUNS / self.hash
        self._terms = terms_of(
            question, self.baseline, self.source, self._policy, numerics, loader_workers, self.progress.say
        )
        self._speed = Speed(self._terms.job, numerics, partial(corners_of, self.baseline, question.at_phi))
        self._ready = Prepared(self.source, self.recipe, question.seed, self.progress.say)
        self._store: TrialStore
        self._schedule: Schedule

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
        return image_counts(self.source, self.question)

    def plan(self) -> StudyPlan:
        """Candidates, lengths and predicted time.

        A few training steps are timed for it. Where a time sizes the trainings, a pilot shows what the baseline needs.
        """
        say, question = self.progress.say, self.question
        pilot = None
        if question.time is not None and None in (question.epochs, question.train_size):
            self._ready.learned({self.baseline.resolution})
            say("learning how many steps the baseline needs")
            pilot = run_pilot(self._terms.job, self.source, self.numerics, PILOT_SHARE * question.time)
        say("timing a few training steps")
        plan = make_plan(
            question, self.baseline, self.counts, self._speed, self.jobs, self.recipe, self._target,
            self.source.native, pilot, self._cost,
        )  # fmt: skip
        small = enlarging(self.baseline, self.source.native)
        remarks = (small and f"warning: {small}", baseline_of(self.baseline).remark, self._speed.remark)
        for remark in (*remarks, *plan.remarks(self.counts["validation"])):
            if remark:
                say(remark)
        return plan

    @property
    def _target(self) -> Target:
        """What the limits are held against: the trainings of this study, by its recipe."""
        numerics = self.numerics
        metrics = {*self.question.budget, self.question.cost}
        training = recipe_target(metrics, self.recipe, threads=numerics.threads, device=numerics.device)
        return limited_on(metrics, self.question.target, training)

    @cached_property
    def _cost(self) -> EqualCost:
        return EqualCost(metric=self.question.cost, target=self._target)

    def run(self) -> Stored:
        """Do all that is missing, and return the store, the answer last.

        Raises:
            InputError: the folder holds another study, the data changed, or every candidate failed.
            BusyError: another process works in the folder.
            OutputError, StorageError: the folder cannot be written.
        """
        with TrialStore(self.folder) as self._store:
            self._schedule = Schedule(
                self._store, self.question, self.baseline, speed=self._speed, jobs=self.jobs,
                validation=self.counts["validation"], progress=self.progress, ready=self._ready,
            )  # fmt: skip
            resumed = self._begin()
            answer = self._store.one(AnswerRecord)
            if answer is not None:  # what failed is not tried again: it would speak against the answer
                restore_answer(self._store, answer, self._schedule.plan)
                return self._store
            with self._campaign() as campaign:
                if resumed:
                    self._schedule.tell_resumed(campaign)
                if self._store.one(ChoiceRecord) is None:  # what comes later changes no choice
                    self._schedule.train(campaign, {"baseline"}, "baseline")
                    self._schedule.search(campaign)
                    self._choose()
                self._make_family(campaign)
                self._schedule.train(campaign, {"family", "compute"}, "family, rivals and equal compute")
                self._test(campaign)
                self._explain(campaign)
                self._answer(campaign)
            return self._store

    def _campaign(self) -> AbstractContextManager[Campaign]:
        if self.engine.name == "ray" and isinstance(self.baseline, ForeignNetwork):
            self.progress.say(f"every node imports {self.baseline.path}: its package must be installed there")
        return open_campaign(
            self._store, self._terms, self.engine, self.jobs, self.question.data, self.progress
        )  # fmt: skip

    def _begin(self) -> bool:
        """Whether there is something to resume: a plan, and no answer."""
        store = self._store
        resumed = store.one(PlanRecord) is not None and store.one(AnswerRecord) is None
        known = known_in(store, StudyRecord, self.hash, self.source, self.numerics, self.progress.say)
        if known is None:
            facts = data_facts(self.source, self.counts)
            store.add(
                begun(
                    StudyRecord,
                    self.question,
                    self.hash,
                    facts,
                    self.numerics,
                    self.jobs,
                    folder_option(self.folder, self.hash),
                )
            )
        if store.one(PlanRecord) is None:
            plan = self.plan()
            record = plan.record(self.question, self.source.native, self._cost)
            store.add(record, [self.baseline, *(c.network for c in plan.candidates)])
        size, job = self._schedule.plan.train_size, self._terms.job
        job = replace(
            job, data=data_use(self.source, seed=job.data.seed, subset=size), recipe=self._schedule.plan.recipe
        )
        self._terms = replace(self._terms, job=job, images=size)
        return resumed

    def _choose(self) -> None:
        self._store.add(
            make_choice(
                self._store,
                self._schedule.plan,
                self.counts["validation"],
                self.source.guessing(seed=self.question.seed),
                self.question.at_phi,
            )
        )

    def _make_family(self, campaign: Campaign) -> None:
        store, plan = self._store, self._schedule.plan
        if store.one(FamilyRecord) is None:
            choice = store.one(ChoiceRecord)
            assert choice is not None  # noqa: S101  `_choose` wrote it
            known = {one.id: one for one in self._schedule.candidates}
            trained, say = partial(self._classifier, campaign), self.progress.say
            rivals = rivals_in(store, self.question, plan, self.source, trained, say)
            coefficients = Coefficients(*msgspec.structs.astuple(choice.coefficients))
            members = family(
                self.baseline, coefficients, plan.phi, self.question.budget, self._target, corners(known.values()),
                known[choice.chosen], rivals, at_phi=self.question.at_phi, cost=self._cost,
                largest=self._largest(coefficients),
            )  # fmt: skip
            native = self.source.native
            record = FamilyRecord(members=tuple(one.record(self.baseline, native, self._cost) for one in members))
            store.add(record, [member.network for member in members])
        self._ready.tested({one.resolution for one in self._schedule.networks(self._schedule.members)})

    def _largest(self, coefficients: Coefficients) -> Largest | None:
        """The last member where a limit is on latency: measured, which is recorded; None without."""
        limits, network = self.question.budget, self.baseline
        if not is_clocked(limits) or isinstance(network, ForeignNetwork):
            return None
        self.progress.say("measuring the latency of the largest network")
        clock = Clock(self._target.engine or self._target, SilentWatch())
        found = fit_clocked(network, limits, clock=clock, coefficients=coefficients, target=self._target)
        self._store.add(event(found.latency.text()))
        return found.phi, (found.factors, found.network)

    def _test(self, campaign: Campaign) -> None:
        waiting = untested(self._store, self._schedule.members)
        if waiting:
            self.progress.say(f"testing {len(waiting)} networks on {self.counts['test']} images")
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
        draw_maps(
            self._store, self.source, self._schedule.members, self._schedule.plan, partial(self._classifier, campaign)
        )

    def _answer(self, campaign: Campaign) -> None:
        best, trial = best_member(self._store, self._schedule.members, self._schedule.plan)
        write_answer(self._store, best, campaign.checkpoint(trial))
