"""`study`: from images, a baseline and a budget to coefficients, a family, and the evidence for them.

Everything is decided by validation accuracy; the test is looked at once, after the choice. Each step reads the store,
does what is missing and appends, so that an interrupted study resumes and loses at most the trainings in flight.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import torch

from triscale.costs import Target, count
from triscale.data import Split
from triscale.errors import InputError
from triscale.explanation import write_cam_grid
from triscale.recipes import Recipe
from triscale.scaling import Coefficients, network
from triscale.search.coefficients.candidates import recorded
from triscale.search.coefficients.choice import make_choice
from triscale.search.coefficients.family import family
from triscale.search.coefficients.leaders import leading
from triscale.search.studies.agenda import Training, agenda
from triscale.search.studies.campaign import Campaign, Terms
from triscale.search.studies.finish import best_member, shown, test_accuracy, untested, write_answer
from triscale.search.studies.first_record import study_record
from triscale.search.studies.limits import study_target
from triscale.search.studies.plan import EVALUATION, StudyPlan, make_plan
from triscale.search.studies.progress import Quiet, StudyProgress
from triscale.search.studies.question import Question
from triscale.search.studies.study_policy import policy_of
from triscale.search.studies.timing import Speed
from triscale.search.studies.work import absolute, opened
from triscale.search.studies.workers import LOCAL, Engine
from triscale.spec import Network, content_hash
from triscale.training import Inputs, TrainRequest, World, resolve
from triscale.trials import TEST, Execution, Numerics, Stored, TrialStore
from triscale.trials.study_records import (
    AnswerRecord,
    CamRecord,
    ChoiceRecord,
    FamilyRecord,
    MemberRecord,
    NetworkRecord,
    PlanRecord,
    StudyRecord,
)
from triscale.weights import load_classifier

RUNS = Path("triscale-runs")
_IMAGES_IN_GRID = 6
_SAVE_SECONDS = 30.0


class Study:
    """A study in its folder, by default `triscale-runs/` and the hash of the question.

    `plan()` decides what to do, `run()` does what is missing.

    Args:
        question: what is asked.
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
        baseline: Network | None = None,
    ) -> None:
        self.question, self.jobs, self.progress = question, jobs, progress or Quiet()
        self.engine = engine
        self._policy = policy_of(question, folder)
        self.source = opened(question.data, self._policy, afresh=True)
        self.baseline = replace(baseline or network(question.network), classes=len(self.source.classes))
        self.folder = folder or RUNS / self.hash
        self._terms = self._resolved(question.to_recipe(), question.train_size, numerics, loader_workers)
        self._speed = Speed(self._terms.job, numerics)
        self._store: TrialStore

    def _resolved(self, recipe: Recipe, subset: int | None, numerics: Numerics, loader_workers: int) -> Terms:
        """What all trainings share; what the recipe leaves open is resolved once."""
        asked = self.question
        request = TrainRequest(
            network=self.baseline, data=asked.data, recipe=recipe, seed=asked.seed, split_seed=asked.seed,
            subset=subset, policy=self._policy, keep="last",
        )  # fmt: skip
        execution = Execution(loader_workers=loader_workers, save_every=_SAVE_SECONDS, forget_state=True)
        job = resolve(request, Inputs(source=self.source), numerics, execution, World(), self.progress.say)
        return Terms(
            job=job, numerics=numerics, execution=execution, data=absolute(asked.data), policy=self._policy,
            images=subset or self.source.training_split(seed=asked.seed).training.size,
        )  # fmt: skip

    @property
    def hash(self) -> str:
        """12 hex digits that name the question and the content of its data."""
        return self.question.hash(self.source.fingerprint, content_hash(self.baseline))

    @property
    def numerics(self) -> Numerics:
        """On what each training computes."""
        return self._terms.numerics

    @property
    def recipe(self) -> Recipe:
        """Of its trainings, with nothing left open."""
        return self._terms.job.recipe

    @property
    def counts(self) -> dict[str, int]:
        """Images to train on, to validate on and to test on."""
        split = self.source.training_split(train_size=self.question.train_size, seed=self.question.seed)
        test = len(self.source.labels("test"))
        return {"train": len(split.training), "validation": len(split.validation), "test": test}

    def plan(self) -> StudyPlan:
        """Candidates, lengths and predicted time; a few training steps are timed for it, nothing is trained."""
        self.progress.say("timing a few training steps")
        return make_plan(self.question, self.baseline, self.counts, self._speed, self.jobs, self.recipe, self._target)

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
            with self._campaign() as campaign:
                if resumed:
                    self.progress.resumed(sum(map(campaign.is_settled, self._agenda())), len(self._agenda()))
                self._prepare()
                self._train(campaign, {"baseline", "search"}, "baseline and candidates")
                self._train(campaign, {"leaders"}, "leaders and corners")
                self._choose()
                self._make_family()
                self._train(campaign, {"family", "compute"}, "family, rivals and equal compute")
                self._test(campaign)
                self._explain(campaign)
                self._answer(campaign)
            return self._store

    @contextmanager
    def _campaign(self) -> Iterator[Campaign]:
        data, threads = self.question.data, self.numerics.threads
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
        if known is None:
            store.add(study_record(self.question, self.hash, self.source, self.counts, self.numerics, self.jobs))
        if store.one(PlanRecord) is None:
            plan = self.plan()
            store.add(
                plan.record(self.question, self.source.native), [self.baseline, *(c.network for c in plan.candidates)]
            )
        plan_record = self._plan
        data = replace(self._terms.job.data, subset=plan_record.train_size)
        job = replace(self._terms.job, data=data, recipe=plan_record.recipe)
        self._terms = replace(self._terms, job=job, images=plan_record.train_size)
        return resumed

    @property
    def _plan(self) -> PlanRecord:
        plan = self._store.one(PlanRecord)
        if plan is None:
            raise InputError(f"{self._store.path} holds no plan; start the study again in an empty folder.")
        return plan

    @property
    def _members(self) -> Sequence[MemberRecord]:
        found = self._store.one(FamilyRecord)
        return found.members if found else ()

    def _networks(self, records: Iterable[NetworkRecord]) -> list[Network]:
        return [self._store.network(one.id) for one in records]

    def _prepare(self) -> None:
        """Render the images at every resolution before workers ask for the same ones at once."""
        if self.recipe.crop == "random":
            return
        networks = [self.baseline, *self._networks(self._plan.candidates)]
        self._render({one.resolution for one in networks}, self._learned_from)

    @property
    def _learned_from(self) -> tuple[Split, ...]:
        """The parts of the data that trainings read."""
        held = self.source.training_split(seed=self.question.seed).held
        return tuple(dict.fromkeys(("train", held)))

    def _render(self, sizes: set[tuple[int, int]], splits: Sequence[Split]) -> None:
        for size in sorted(sizes):
            for split in splits:
                self.progress.say(f"preparing {split} pictures at {size[0]}x{size[1]} px")
                self.source.pictures(split, size)

    def _train(self, campaign: Campaign, purposes: Collection[str], title: str) -> None:
        """Train what these purposes lack."""
        plan, everything = self._plan, self._agenda()
        left = [one for one in everything if not campaign.is_settled(one)]
        samples = plan.train_size + EVALUATION * self.counts["validation"]
        seconds = {one: self._speed(one.network) * one.epochs * samples / self.jobs for one in left}
        waiting = sorted((one for one in left if one.purpose in purposes), key=lambda one: -seconds[one])
        if waiting:
            self.progress.say(f"{title}: {len(waiting)} trainings")
        took = sum(map(campaign.seconds_of, everything)) / self.jobs
        shares = {self._terms.job_of(one).key: share for one, share in seconds.items()}
        self.progress.agenda(shares, len(everything) - len(left), took)
        campaign.train(waiting)

    def _agenda(self) -> list[Training]:
        """All trainings, as far as the store tells them."""
        plan, members = self._plan, self._members
        known = [recorded(one, self._store.network(one.id)) for one in plan.candidates]
        phis = sorted({one.phi for one in members if one.phi > 0}) or plan.phis
        networks = self._networks(members) or None
        leaders = leading(self._store, plan)
        return agenda(self.baseline, known, phis, plan.seeds, plan.epochs, leading=leaders, members=networks)

    def _choose(self) -> None:
        if self._store.one(ChoiceRecord) is None:
            counts, classes = self.counts, len(self.source.classes)
            self._store.add(make_choice(self._store, self._plan, counts["validation"], classes))

    def _make_family(self) -> None:
        store, plan = self._store, self._plan
        if store.one(FamilyRecord) is None:
            choice = store.one(ChoiceRecord)
            assert choice is not None  # noqa: S101  `_choose` wrote it
            known = {one.id: recorded(one, store.network(one.id)) for one in plan.candidates}
            corners = {one.rule: one for one in known.values() if one.rule != "grid"}
            coefficients = Coefficients(*msgspec.structs.astuple(choice.coefficients))
            members = family(
                self.baseline, coefficients, plan.phi, self.question.budget, self._target, corners,
                known[choice.chosen],
            )  # fmt: skip
            macs, native = count(self.baseline).macs, self.source.native
            record = FamilyRecord(members=tuple(member.record(macs, native) for member in members))
            store.add(record, [member.network for member in members])
        if self.recipe.crop != "random":
            sizes = {one.resolution for one in self._networks(self._members)}
            self._render(sizes, (*self._learned_from, "test"))

    def _test(self, campaign: Campaign) -> None:
        waiting = untested(self._store, self._members)
        if waiting:
            self.progress.say(f"testing {len(waiting)} networks on {self.counts['test']} pictures")
        for trial in waiting:
            found = load_classifier(campaign.checkpoint(trial)).on(torch.device(self.numerics.device))
            metrics = {**trial.metrics, TEST: test_accuracy(found, self.source)}
            self._store.put(replace(trial, metrics=metrics))

    def _explain(self, campaign: Campaign) -> None:
        if self._store.one(CamRecord) is not None:
            return
        self.progress.say("drawing class activation maps")
        models = [
            (member.rule, member.id, load_classifier(campaign.checkpoint(trial)).on(torch.device(self.numerics.device)))
            for member, trial in shown(self._store, self._members, self._plan)
        ]
        pictures = write_cam_grid(self.folder, self.source, models, _IMAGES_IN_GRID)
        self._store.add(CamRecord(pictures=tuple(pictures)))

    def _answer(self, campaign: Campaign) -> None:
        best, trial = best_member(self._store, self._members, self._plan)
        write_answer(self._store, best, campaign.checkpoint(trial))
