"""`search architecture`: from a space of networks, images and an objective to a network, and the evidence for it.

Proposals are decided by validation accuracy after short trainings; the best of them and the baseline are trained to
the end with several seeds, and the test is looked at once, after the choice. Each step reads the store, does what is
missing and appends, so that an interrupted search resumes to the same proposals.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import msgspec
import torch

from triscale.search.architecture import document_of, sample
from triscale.search.explorations.drawn_at_random import drawn_first
from triscale.search.explorations.finals.clocked_finalists import clocked_finalists
from triscale.search.explorations.finals.finalist_ranking import ranked
from triscale.search.explorations.finals.finalists import (
    best_proposals,
    best_trial,
    final_scores,
    finalists,
    told,
)
from triscale.search.explorations.optuna_mirror import OptunaMirror
from triscale.search.explorations.proposals import Proposals
from triscale.search.explorations.rungs.climbing import climb, ranks_of, record_of, rungs_of
from triscale.search.explorations.rungs.ladder import rungs_above
from triscale.search.explorations.search_answer import all_failed, answer_lines
from triscale.search.explorations.search_costs import check_target, search_costs
from triscale.search.explorations.search_length import search_length
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.explorations.search_worth import search_worth
from triscale.search.explorations.space_of_question import space_of
from triscale.search.explorations.watching.search_watch import SearchWatch, axes_of
from triscale.search.measuring.timing import Speed
from triscale.search.objectives import Objective
from triscale.search.samplers import Sampler, sampler
from triscale.search.trainings.best_files import are_there, write_best
from triscale.search.trainings.campaign import Campaign, open_campaign, terms_of
from triscale.search.trainings.first_record import RUNS, begun, data_facts, folder_option, image_counts, known_in
from triscale.search.trainings.image_policy import policy_of
from triscale.search.trainings.prepared import Prepared
from triscale.search.trainings.progress import Quiet, StudyProgress
from triscale.search.trainings.shared_terms import Training
from triscale.search.trainings.testing import test_accuracy
from triscale.search.trainings.work import opened
from triscale.search.trainings.workers import LOCAL, Engine
from triscale.spec import AnyNetwork, Network, content_hash
from triscale.training import data_use
from triscale.trials import TEST, Numerics, Stored, Trial, TrialStore
from triscale.trials.searches.search_front import front_so_far
from triscale.trials.searches.search_outcomes import RUNG, SEARCH, outcomes, saved
from triscale.trials.searches.search_records import FoundRecord, ProposalRecord, SearchRecord
from triscale.weights import load_classifier

FINAL = "final"
"""The purpose of the last trainings."""


class ArchitectureSearch:
    """A search in its folder, by default `triscale-runs/` and the hash of the question.

    Args:
        question: of the search.
        folder: of the search alone; the same question in it resumes.
        jobs: trainings at a time.
        numerics: on what each of them computes.
        progress: hears about it.
        loader_workers: of each training.
        engine: what runs the trainings; processes of this machine by default.
        optuna_storage: the URL of a storage of Optuna that mirrors the trials; None without.
        baseline: instead of the network that the question names.
    """

    def __init__(
        self,
        question: SearchQuestion,
        folder: Path | None = None,
        *,
        jobs: int,
        numerics: Numerics,
        progress: StudyProgress | None = None,
        loader_workers: int = 0,
        engine: Engine = LOCAL,
        optuna_storage: str | None = None,
        baseline: Network | None = None,
    ) -> None:
        self.question, self.jobs, self.progress, self.engine = question, jobs, progress or Quiet(), engine
        check_target(question)  # a mistake is reported before any image is read
        policy = policy_of(question, folder)
        self.source = opened(question.data, policy, afresh=True)
        self.space = space_of(question, len(self.source.classes), baseline)
        self.folder = folder or RUNS / self.hash
        self._terms = terms_of(
            question, self.baseline, self.source, policy, numerics, loader_workers, self.progress.say
        )
        self._ready = Prepared(self.source, self._terms.job.recipe, question.seed, self.progress.say)
        self._costs = search_costs(question, self.baseline, self._terms.job.recipe, numerics)
        self._sampler(question.sampler, question.lag)  # what it needs is missed before anything is written
        self._mirror = (
            None
            if optuna_storage is None
            else OptunaMirror(
                optuna_storage, f"triscale {self.hash}", self.space.choices, axes_of(self.objective), self.progress.say
            )
        )
        self._store: TrialStore

    @property
    def baseline(self) -> Network:
        """The network that is to be beaten: the base of the space."""
        return self.space.base

    @property
    def baseline_costs(self) -> dict[str, float]:
        """Its costs, by name."""
        return self._costs.of(self.baseline)

    @property
    def hash(self) -> str:
        """12 hex digits that name the question, the space and the content of the data."""
        space = json.dumps(document_of(self.space), sort_keys=True)
        return self.question.hash(self.source.fingerprint, f"{content_hash(self.baseline)} {space}")

    @property
    def objective(self) -> Objective:
        """What is maximised."""
        return self._costs.objective

    def run(self) -> Stored:
        """Do all that is missing, and return the store.

        Raises:
            InputError: the folder holds something else, the data changed, no network keeps the budget, or every trial
                failed.
            BusyError: another process works in the folder.
            OutputError, StorageError: the folder cannot be written.
        """
        with TrialStore(self.folder) as self._store, self._mirrored():
            self._begin()
            found = self._store.one(FoundRecord)
            if found is not None:
                if not are_there(self.folder):
                    self._write_best(found.best)
                return self._store
            terms, data = self._terms, self.question.data
            with open_campaign(self._store, terms, self.engine, self.jobs, data, self.progress) as campaign:
                self._explore(campaign)
                climb(self._store, campaign, self.question, self.objective.scores, self._watch.climbing)
                last = rungs_of(self._store, self.objective.scores, self.question.seed)[-1].scores
                if not last:
                    raise all_failed("trial of the search", self._failed(SEARCH, RUNG), self.folder)
                ids = best_proposals(last, self.question.finalists)
                self._finish(campaign, [self._store.network(one) for one in ids])
                self._answer(ids)
            return self._store

    @contextmanager
    def _mirrored(self) -> Iterator[None]:
        """The mirror is shown how the search stands in the end, and may finish writing."""
        try:
            yield
            self._watch.show()
        finally:
            if self._mirror is not None:
                self._mirror.close()

    @property
    def _watch(self) -> SearchWatch:
        question = self.question
        return SearchWatch(
            stored=self._store, record=self._record, objective=self.objective, progress=self.progress,
            finals=(question.finalists + 1) * question.seeds, mirror=self._mirror,
            rungs=rungs_above(question, self._record.trials, self._record.epochs),
        )  # fmt: skip

    @property
    def _record(self) -> SearchRecord:
        return record_of(self._store)

    @property
    def _counts(self) -> dict[str, int]:
        return image_counts(self.source, self.question)

    def _begin(self) -> None:
        numerics, say = self._terms.numerics, self.progress.say
        if known_in(self._store, SearchRecord, self.hash, self.source, numerics, say) is None:
            self._store.add(self._first_record(), [self.baseline])
        job, record = self._terms.job, self._record
        data = data_use(self.source, seed=job.data.seed, subset=record.train_size)
        self._terms = replace(self._terms, job=replace(job, data=data), images=record.train_size)

    def _first_record(self) -> SearchRecord:
        if self._costs.budget is not None:  # an empty space is named with the nearest network before anything is timed
            sample(self.space, Random(self.question.seed), self._costs.budget)  # noqa: S311  no secrets
        self.progress.say("timing a few training steps")
        question, counts = self.question, self._counts
        speed = Speed(self._terms.job, self._terms.numerics)
        length = search_length(question, counts["train"], counts["validation"], speed(self.baseline), self.jobs)
        return begun(
            SearchRecord, question, self.hash, data_facts(self.source, counts), self._terms.numerics, self.jobs,
            folder_option(self.folder, self.hash),
            space=document_of(self.space), size=self.space.size, baseline=content_hash(self.baseline),
            epochs=length.epochs, train_size=length.images, final_epochs=length.final_epochs, trials=length.trials,
            predicted_seconds=round(length.seconds), recipe=self._terms.job.recipe, costs=self.baseline_costs,
        )  # fmt: skip

    def _explore(self, campaign: Campaign) -> None:
        """Propose and train until all trials are done."""
        question, record = self.question, self._record
        asks = self._sampler(question.sampler, question.lag)
        proposals = Proposals(
            self._store, self.space, asks, record.trials, self._trial_of, self._costs.of, self.objective.scores,
            stops=question.stop_hopeless,
        )  # fmt: skip
        self._ready.learned({self.baseline.resolution})
        self.progress.say(f"{record.trials} networks by {question.sampler}")
        watch = self._watch

        def further() -> list[Training]:
            found = proposals.next(campaign)
            watch.exploring(proposals.keys, proposals.proposed)
            return found

        campaign.follow(further(), further)

    def _trial_of(self, network: Network) -> Training:
        return Training(network, SEARCH, self.question.seed, self._record.epochs)

    def _finish(self, campaign: Campaign, best: Sequence[AnyNetwork]) -> None:
        """Train the best and the baseline to the end, and test them."""
        record, question = self._record, self.question
        wanted = [
            Training(network, FINAL, question.seed + k, record.final_epochs)
            for k in range(question.seeds)
            for network in {content_hash(one): one for one in (*best, self.baseline)}.values()
        ]
        self._watch.finishing([campaign.key_of(one) for one in wanted])
        campaign.train([one for one in wanted if not campaign.is_settled(one)])
        self._ready.tested({self.baseline.resolution})
        for one in wanted:
            trial = campaign.trial_of(one)
            if trial is not None and trial.state == "done" and TEST not in trial.metrics:
                found = load_classifier(campaign.checkpoint(trial)).on(torch.device(self._terms.numerics.device))
                metrics = {**trial.metrics, TEST: test_accuracy(found, self.source)}
                self._store.put(replace(trial, metrics=metrics))

    def _answer(self, ids: Sequence[str]) -> None:
        score, seed = self.objective.scores, self.question.seed
        rows = finalists(self._store, self._record, ids, self.baseline_costs)
        if rows and self._costs.is_clocked:
            rows = clocked_finalists(self._store, rows, self._costs.target)
        rows = ranked(rows, score, self.objective.limits)
        if not rows or rows[0].only_compared:
            raise all_failed("training to the end", self._failed(FINAL), self.folder)
        scores = told(self._store, self._record.epochs, score, seed)
        drawn = self._drawn_first()
        worth = search_worth(
            self._store, scores, self.space.choices, drawn_first=drawn, images=self._counts["validation"],
            guessing=self.source.guessing(seed=seed),
        )  # fmt: skip
        front = tuple(one.proposal.network for one in front_so_far(outcomes(self._store), self._costs.axes))
        found = FoundRecord(
            best=rows[0].id, finalists=rows, front=front, lines=(), scores=scores,
            ranks=ranks_of(self._store, score, seed, final_scores(rows, score)), **worth._asdict(),
        )  # fmt: skip
        lines = answer_lines(
            self._record, found, self._store.all(ProposalRecord), failed=len(self._failed(SEARCH)), drawn_first=drawn,
            folder=str(self.folder), early=saved(self._store),
        )  # fmt: skip
        self._write_best(found.best)
        self._store.add(msgspec.structs.replace(found, lines=lines))

    def _failed(self, *purposes: str) -> list[Trial]:
        return [one for one in self._store if one.state == "failed" and one.purpose in purposes]

    def _write_best(self, id_: str) -> None:
        """The weights of the best seed, and the spec, from which a study may go on."""
        trial = best_trial(self._store, self._record, id_)
        write_best(self._store, id_, self.folder / str(trial.checkpoint))

    def _drawn_first(self) -> int:  # of the proposals, as random sampling draws them
        proposed = [one.chosen for one in self._store.all(ProposalRecord)]
        return drawn_first(proposed, self._sampler("random", max(1, len(proposed))))

    def _sampler(self, name: str, lag: int) -> Sampler:
        return sampler(
            name, self.space, seed=self.question.seed, lag=lag, feasible=partial(self._costs.keeps, self.space)
        )
