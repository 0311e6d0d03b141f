"""`study`: from pictures, a baseline and a budget to coefficients, a family, and the evidence for them.

Everything is decided by validation accuracy; test pictures are looked at once, after the choice. Each step reads the
records, does what is missing and appends, so that an interrupted study goes on where it stopped and loses at most the
trainings in flight.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any

import torch

from triscale import records as store
from triscale import scaling
from triscale._version import __version__
from triscale.cost import Target, count
from triscale.data import Split, SplitRule, recorded_rule
from triscale.data.split import FIRST
from triscale.errors import InputError
from triscale.explain import write_cam_grid
from triscale.machine import machine
from triscale.nn import device_name
from triscale.records import Records
from triscale.scaling import Coefficients
from triscale.search.agenda import LEADERS, agenda
from triscale.search.answer import answer_lines
from triscale.search.candidates import Candidate, Cell
from triscale.search.family import family
from triscale.search.jobs import Job, Workplace, seconds_per_picture, test_run, trained
from triscale.search.limits import study_target
from triscale.search.plan import EVALUATION, Plan, make_plan
from triscale.search.pool import run_all
from triscale.search.progress import Progress
from triscale.search.question import Question
from triscale.search.rank import RULE, chance_warning, choose, half_warning, paired_noise, ranking
from triscale.spec import Network, content_hash, from_document
from triscale.train import Recipe
from triscale.weights import write_atomically

RECORDS = "records.jsonl"
RUNS = Path("triscale-runs")
_PICTURES_IN_GRID = 6
_SLOW = 0.02
"""Seconds a picture beyond which only the baseline is timed."""


class Study:
    """A study in its folder, by default `triscale-runs/` and the hash of the question.

    `plan()` decides what to do, `run()` does what is missing.
    """

    def __init__(
        self,
        question: Question,
        folder: Path | None = None,
        *,
        workers: int,
        progress: Progress,
        threads: int = 1,
        device: torch.device | str = "cpu",
        kernels: bool = True,
    ) -> None:
        self.question, self.workers, self.progress = question, workers, progress
        self._how: dict[str, Any] = {"threads": threads, "device": device, "kernels": kernels}
        self._speeds: dict[str, float] = {}
        self._open(SplitRule(group_by=question.group_by) if folder is None else _rule_in(folder, question))
        if folder is None:
            self._find_again()
        self.folder = self.place.folder = folder or RUNS / self.hash

    def _open(self, rule: SplitRule) -> None:
        """Open the data, whose content is a part of the hash that names the folder."""
        asked = self.question
        self.place = Workplace(RUNS, asked.data, asked.seed, asked.train_size, Recipe(), rule=rule, **self._how)
        self.baseline = replace(scaling.network(asked.network), classes=len(self.place.source.classes))

    def _find_again(self) -> None:
        """A study of this question by the first rule of splits keeps it; what it read of the data had another hash."""
        newest, known = self.place.rule, (RUNS / self.hash / RECORDS).exists()
        if known and _rule_in(RUNS / self.hash, self.question) == newest:
            return
        if self.question.group_by == "content" and (known or "val" in self.place.source.parts):
            self._open(SplitRule(version=FIRST))
            if not (RUNS / self.hash / RECORDS).exists():
                self._open(newest)

    @property
    def hash(self) -> str:
        """12 hex digits that name the question and the content of its data."""
        return self.question.hash(self.place.source.fingerprint, content_hash(self.baseline))

    @property
    def records(self) -> Records:
        """What is known so far."""
        path = self.folder / RECORDS
        return store.read(path) if path.exists() else Records()

    def plan(self) -> Plan:
        """Candidates, lengths and predicted time; a few training steps are timed for it, nothing is trained."""
        split = self.place.split
        self.progress.say("timing a few training steps")
        pictures = {"train": len(split.training), "validation": len(split.validation)}
        return make_plan(
            self.question, self.baseline, pictures, self._speed, self.workers, Recipe(), self._target(Recipe())
        )

    def _target(self, recipe: Recipe) -> Target:
        """What the limits are held against: the trainings of this study, by its recipe."""
        asked, place = self.question, self.place
        return study_target(asked.budget, recipe, batch=asked.batch, threads=place.threads, device=place.device.type)

    def run(self) -> Records:
        """Do all that is missing, and return the records, the answer last."""
        if self._begin():
            self.progress.going_on(len(self._done), len(self._agenda()))
        self._prepare()
        self._search()
        self._choose()
        self._train_family()
        self._test()
        self._explain()
        self._answer()
        return self.records

    def _begin(self) -> bool:
        """Whether there is something to go on with: a plan, and no answer."""
        going_on = self.records.one("plan") is not None and self.records.one("answer") is None
        known, source = self.records.one("study"), self.place.source
        if known is not None and known["question_hash"] != self.hash:
            raise InputError(
                f"{self.folder} holds another study (or its data changed).\nUse another --out, or leave it out."
            )
        if known is None:
            split = self.place.split
            data = {
                "source": source.name,
                "fingerprint": source.fingerprint,
                "classes": list(source.classes),
                "train": len(split.training),
                "validation": len(split.validation),
                "test": len(source.labels("test")),
                "test_from": source.test_from,
                "native": source.native,
                "skipped": source.skipped,
                "notes": list(source.notes),
                "split": source.rule.document(),
            }
            self._append(
                kind="study",
                schema=1,
                triscale=__version__,
                command=self.question.command(),
                question=self.question.document(),
                question_hash=self.hash,
                data=data,
                machine={**machine(), "gpu": device_name(self.place.device)},
                workers=self.workers,
                device=str(self.place.device),
                threads=self.place.threads,
                started=datetime.now(UTC).isoformat(timespec="seconds"),
            )
        if self.records.one("plan") is None:
            self._append(**self.plan().as_record(self.question, source.native))
        plan = self._plan
        self.place.train_size, self.place.recipe = plan["train_size"], Recipe(**plan["recipe"])
        for stale in ("split", "trained_on"):
            self.place.__dict__.pop(stale, None)
        (self.folder / "runs").mkdir(exist_ok=True)
        return going_on

    @property
    def _plan(self) -> dict[str, Any]:
        plan = self.records.one("plan")
        if plan is None:
            raise InputError(f"{self.folder / RECORDS} holds no plan; start the study again in an empty folder.")
        return plan

    def _prepare(self) -> None:
        """Render the pictures at every resolution before workers ask for the same ones at once."""
        sizes = {
            self.baseline.resolution,
            *(from_document(one["network"]).resolution for one in self._plan["candidates"]),
        }
        self._render(sizes, self._learned_from)

    @property
    def _learned_from(self) -> tuple[Split, ...]:
        """The parts of the data that trainings read."""
        return tuple(dict.fromkeys(("train", self.place.split.held)))

    def _render(self, sizes: set[tuple[int, int]], splits: Sequence[Split]) -> None:
        for size in sorted(sizes):
            for split in splits:
                self.progress.say(f"preparing {split} pictures at {size[0]}x{size[1]} px")
                self.place.source.pictures(split, size)

    def _search(self) -> None:
        self._train({"baseline", "search"}, "baseline and candidates")
        self._train({"leaders"}, "leaders and corners")

    def _choose(self) -> None:
        if self.records.one("choice") is not None:
            return
        plan = self._plan
        everything = self._validation(plan["epochs"])
        scores = {one["id"]: everything[one["id"]] for one in plan["candidates"] if one["id"] in everything}
        if not any(one["within"] and one["id"] in scores for one in plan["candidates"]):
            raise InputError(f"every training of a candidate failed; the reasons are in {self.folder / RECORDS}.")
        noise = paired_noise(everything, self._data["validation"])
        rows = ranking(scores, self._validation(plan["epochs"], "half_top1"), noise, len(plan["seeds"]))
        macs = {one["id"]: one["cost"]["macs"] for one in plan["candidates"]}
        chosen = choose(rows, macs, [one["id"] for one in plan["candidates"] if one["within"]])
        factors = next(one["factors"] for one in plan["candidates"] if one["id"] == chosen)
        about = self._data
        told = (half_warning(rows), chance_warning(rows, len(about["classes"]), about["validation"]))
        warning = " ".join(text for text in told if text) or None
        self._append(
            kind="choice",
            ranking=rows,
            tied=[row["id"] for row in rows if row["tied"]],
            chosen=chosen,
            rule=RULE,
            coefficients={"alpha": factors["depth"], "beta": factors["width"], "gamma": factors["resolution"]},
            noise_sd=noise.sd,
            noise_freedom=noise.freedom,
            half_agrees=told[0] is None,
            warning=warning,
        )

    def _train_family(self) -> None:
        plan, source = self._plan, self.place.source
        if self.records.one("family") is None:
            choice = self.records.one("choice") or {}
            known = {one["id"]: _candidate(one) for one in plan["candidates"]}
            corners = {one.rule: one for one in known.values() if one.rule != "grid"}
            coefficients = Coefficients(**choice["coefficients"])
            limits, target = self.question.budget, self._target(self.place.recipe)
            found = family(self.baseline, coefficients, plan["phi"], limits, target, corners, known[choice["chosen"]])
            macs = count(self.baseline).macs
            self._append(kind="family", members=[member.as_record(macs, source.native) for member in found])
        members = self._members
        self._render({from_document(one["network"]).resolution for one in members}, (*self._learned_from, "test"))
        self._train({"family", "compute"}, "family, rivals and equal compute")

    def _test(self) -> None:
        done = {(one["id"], one["seed"], one["epochs"]) for one in self.records.all("test")}
        family_ids = {one["id"] for one in self._members}
        waiting = [run for run in self.records.all("run") if run["id"] in family_ids and _key(run) not in done]
        if waiting:
            self.progress.say(f"testing {len(waiting)} networks on {self._data['test']} pictures")
        for run in waiting:
            self._append(**test_run(self.place, _key(run)))

    def _explain(self) -> None:
        if self.records.one("cam") is not None:
            return
        self.progress.say("drawing class activation maps")
        last = max(one["phi"] for one in self._members)
        shown = {one["id"]: one for one in self._members if one["phi"] in (0, last)}
        seed, epochs = self._plan["seeds"][0], self._plan["epochs"]
        models = [(one["rule"], one["id"], trained(self.place, (one["id"], seed, epochs))) for one in shown.values()]
        self._append(kind="cam", pictures=write_cam_grid(self.folder, self.place.source, models, _PICTURES_IN_GRID))

    def _answer(self) -> None:
        scores = self._validation(self._plan["epochs"])
        last = max(one["phi"] for one in self._members)
        candidates = [one for one in self._members if one["phi"] == last and one["id"] in scores]
        best = max(candidates, key=lambda one: mean(scores[one["id"]].values()))
        seed = max(scores[best["id"]], key=lambda one: scores[best["id"]][one])
        checkpoint = self.place.checkpoint((best["id"], seed, self._plan["epochs"]))
        write_atomically(self.folder / "best.safetensors", checkpoint.read_bytes())
        write_atomically(self.folder / "best.json", (json.dumps(best["network"], indent=2) + "\n").encode())
        if self.records.one("answer") is None:
            self._append(kind="answer", lines=answer_lines(self.records, best, str(self.folder)), best=best["id"])

    def _agenda(self) -> list[Job]:
        """All trainings, as far as the records tell them."""
        plan, members = self._plan, self._members
        known = [_candidate(one) for one in plan["candidates"]]
        phis = sorted({one["phi"] for one in members if one["phi"] > 0}) or plan["phis"]
        networks = [from_document(one["network"]) for one in members] or None
        return agenda(
            self.baseline, known, phis, plan["seeds"], plan["epochs"], leading=self._leading, members=networks
        )

    @property
    def _leading(self) -> list[str] | None:
        """The best candidates of the first seed; None before all of them are trained."""
        plan, done = self._plan, self._done
        seed, epochs = plan["seeds"][0], plan["epochs"]
        if any((one["id"], seed, epochs) not in done for one in plan["candidates"]):
            return None
        scores = self._validation(epochs)
        within = [one["id"] for one in plan["candidates"] if one["within"] and one["id"] in scores]
        return sorted(within, key=lambda one: scores[one][seed], reverse=True)[:LEADERS]

    @property
    def _done(self) -> dict[tuple[str, int, int], float]:
        """Seconds of each training that has a record (and a checkpoint); those that failed count as none."""
        found = {_key(run): 0.0 for run in self.records.all("failed")}
        runs = [run for run in self.records.all("run") if self.place.checkpoint(_key(run)).exists()]
        return {**found, **{_key(run): run["seconds"] for run in runs}}

    def _train(self, phases: Collection[str], title: str) -> None:
        """Train what these phases lack, the longest first so that no worker idles at the end."""
        done = self._done
        left = [job for job in self._agenda() if job.key not in done]
        samples = self._plan["train_size"] + EVALUATION * self._data["validation"]
        weights = {job.key: self._speed(job.network) * job.epochs * samples / self.workers for job in left}
        waiting = sorted((job for job in left if job.phase in phases), key=lambda job: -weights[job.key])
        if waiting:
            self.progress.say(f"{title}: {len(waiting)} trainings")
        self.progress.agenda([(job, weights[job.key]) for job in left], len(done), sum(done.values()) / self.workers)
        for job, record in run_all(self.place, waiting, self.workers, self.progress.epoch):
            self._append(**record)
            self.place.forget(job.key)
            self.progress.done(job, record)

    def _validation(self, epochs: int, field: str = "validation_top1") -> dict[str, dict[int, float]]:
        scores: dict[str, dict[int, float]] = {}
        for run in self.records.all("run"):
            if run["epochs"] == epochs:
                scores.setdefault(run["id"], {})[run["seed"]] = run[field]
        return scores

    def _speed(self, network: Network) -> float:
        """Seconds a picture: measured, or extrapolated by MACs for networks that are large or would be slow to time."""
        key = content_hash(network)
        if key not in self._speeds:
            ratio = count(network).macs / count(self.baseline).macs
            if ratio > 2.5 or (ratio != 1 and self._speed(self.baseline) > _SLOW):
                self._speeds[key] = ratio * self._speed(self.baseline)
            else:
                self._speeds[key] = seconds_per_picture(self.place, network)
        return self._speeds[key]

    @property
    def _members(self) -> list[dict[str, Any]]:
        found = self.records.one("family")
        return list(found["members"]) if found else []

    @property
    def _data(self) -> dict[str, Any]:
        return dict((self.records.one("study") or {})["data"])

    def _append(self, **record: Any) -> None:
        store.append(self.folder / RECORDS, record)


def _rule_in(folder: Path, question: Question) -> SplitRule:
    """The rule of the study that is in a folder; the newest if there is none."""
    path = folder / RECORDS
    known = store.read(path).one("study") if path.exists() else None
    if known is None:
        return SplitRule(group_by=question.group_by)
    return replace(recorded_rule(known["data"].get("split")), group_by=question.group_by)


def _key(run: dict[str, Any]) -> tuple[str, int, int]:
    return run["id"], run["seed"], run["epochs"]


def _candidate(record: dict[str, Any]) -> Candidate:
    """The candidate in a record; its network keeps the name it had."""
    cell = Cell(**{name: tuple(interval) for name, interval in record["cell"].items()})
    factors = scaling.Factors(**record["factors"])
    network = from_document(record["network"])
    return Candidate(network, record["rule"], factors, cell, record["ratio"], record["within"], record["merged"])
