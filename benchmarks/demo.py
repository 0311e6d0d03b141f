"""Whether the answer of `make demo` can be believed: the demo with other seeds, some beside a busy process.

    python -m benchmarks.demo --out FOLDER

runs the study of `make demo` with other seeds, each in a folder of its own below FOLDER; during the last `--busy` of
them a process computes beside the study. Then every candidate is trained on two further seeds, the best of them and
each chosen network on three others, all as long as in the first run; the same command resumes. The record says, over
the runs, the chosen network's accuracy minus the best candidate's, and in how many the larger network beat the
baseline by an interval without zero. `--summary` records what there is.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import NamedTuple

from benchmarks import harness
from triscale import intervals, trials
from triscale.search.coefficients.rank import paired_noise
from triscale.search.decisions.trial_scores import scores_of
from triscale.search.studies.question import Question
from triscale.search.trainings.campaign import Campaign, terms_of
from triscale.search.trainings.image_policy import policy_of
from triscale.search.trainings.progress import Quiet
from triscale.search.trainings.shared_terms import Training
from triscale.search.trainings.work import opened
from triscale.search.trainings.workers import LOCAL
from triscale.training import data_use, numerics_here
from triscale.trials import TEST, VALIDATION, Stored, TrialStore
from triscale.trials.study_records import AnswerRecord, ChoiceRecord, FamilyRecord, PlanRecord

NETWORK, OPTIONS = "finenet_20", ("--phi", "1", "--time", "5m")
"""As in the Makefile, see tests/test_demo.py."""

FINDING, COMPARING = (9_000, 9_001), (9_002, 9_003, 9_004)
"""Seeds that no run has."""

Scores = Mapping[str, Mapping[int, float]]


class Run(NamedTuple):
    """One run of the demo.

    Attributes:
        chosen: id of the network.
        epochs, images: of a training.
        gain, interval: test accuracy of the chosen network minus the baseline's, over the seeds.
        noise: standard deviation of a paired difference in one seed.
        trainings: that were done.
    """

    chosen: str
    epochs: int
    images: int
    gain: float
    interval: tuple[float, float]
    noise: float
    trainings: int


def outcome(stored: Stored) -> Run | None:
    """What a finished study says; None of one that is not finished."""
    plan, choice, family = stored.one(PlanRecord), stored.one(ChoiceRecord), stored.one(FamilyRecord)
    if plan is None or choice is None or family is None or stored.one(AnswerRecord) is None:
        return None
    test = scores_of(stored, TEST, plan.epochs)
    noise = paired_noise({one.id: test[one.id] for one in family.members if one.id in test}, 1)
    seeds = sorted(test[choice.chosen].keys() & test[plan.baseline.id].keys())
    gain = mean(test[choice.chosen][seed] - test[plan.baseline.id][seed] for seed in seeds)
    margin = noise.margin(len(seeds))
    done = sum(one.state == "done" for one in stored)
    return Run(choice.chosen, plan.epochs, plan.train_size, gain, (gain - margin, gain + margin), noise.sd, done)


def regret(scores: Scores, chosen: Sequence[str]) -> tuple[str, list[float]]:
    """The best candidate by the seeds that find it, and by the others its mean minus that of each chosen network.

    Args:
        scores: id of a candidate -> seed -> accuracy.
        chosen: the id of each run.
    """
    finding = {one: mean(found[seed] for seed in FINDING) for one, found in scores.items() if {*FINDING} <= {*found}}
    best = max(finding, key=finding.__getitem__)
    apart = [mean(scores[best][seed] - scores[one][seed] for seed in COMPARING) for one in chosen]
    return best, apart


@contextmanager
def busy(is_busy: bool) -> Iterator[None]:
    """A process that does nothing but compute, or none."""
    if not is_busy:
        yield
        return
    beside = subprocess.Popen([sys.executable, "-c", "while True: sum(range(10**6))"])
    try:
        yield
    finally:
        beside.kill()
        beside.wait()


def demo(folder: Path, seed: int, jobs: int) -> float:
    """Run or resume it; seconds."""
    began = perf_counter()
    words = ("study", NETWORK, *OPTIONS, "--seed", str(seed), "--jobs", str(jobs), "--out", str(folder))
    subprocess.run([sys.executable, "-m", "triscale", *words], check=True, stdout=subprocess.DEVNULL, env=os.environ)
    return perf_counter() - began


def compare(first: Stored, chosen: Sequence[str], folder: Path, jobs: int) -> Scores:
    """Train what the comparison needs and lacks: all candidates on two seeds, the best and the chosen on three."""
    plan = first.one(PlanRecord)
    assert plan is not None  # noqa: S101  of a finished study
    question = Question(network=NETWORK, epochs=plan.epochs)
    source = opened(question.data, policy_of(question, None), afresh=True)
    networks = {one.id: first.network(one.id) for one in plan.candidates}
    shared = terms_of(
        question, next(iter(networks.values())), source, policy_of(question, None), numerics_here("cpu", 1), 0, print
    )
    data = data_use(source, seed=shared.job.data.seed, subset=plan.train_size)
    shared = replace(shared, job=replace(shared.job, data=data, recipe=plan.recipe), images=plan.train_size)
    for size in sorted({one.resolution for one in networks.values()}):
        for split in ("train", "val"):
            source.pictures(split, size)
    with TrialStore(folder) as store:
        workers = LOCAL.workers(jobs, 1, question.data, store.folder, print)
        campaign = Campaign(store, shared, workers.executor, Quiet())

        def train(ids: Sequence[str], seeds: Sequence[int]) -> None:
            every = [Training(networks[one], "search", seed, plan.epochs) for seed, one in product(seeds, ids)]
            campaign.train([one for one in every if not campaign.is_settled(one, weights=False)])

        try:
            train(list(networks), FINDING)
            found = scores_of(store, VALIDATION, plan.epochs)
            best = max(found, key=lambda one: mean(found[one].get(seed, 0.0) for seed in FINDING))
            train(sorted({best, *chosen}), COMPARING)
        finally:
            workers.executor.close()
        return scores_of(store, VALIDATION, plan.epochs)


def record(runs: Sequence[Run], seconds: Mapping[str, float], scores: Scores | None, beside: int) -> dict[str, object]:
    """What the runs say together."""
    entry = {
        **harness.provenance("demo"),
        "study": [NETWORK, *OPTIONS],
        "runs": len(runs),
        "beside_a_busy_process": beside,
        "seconds": {name: round(value) for name, value in seconds.items()},
        "trainings": [one.trainings for one in runs],
        "epochs": [one.epochs for one in runs],
        "images": [one.images for one in runs],
        "paired_sd": [round(one.noise, 5) for one in runs],
        "gain": [round(one.gain, 5) for one in runs],
        "gain_intervals": [[round(end, 5) for end in one.interval] for one in runs],
        "larger_beats_baseline": sum(one.interval[0] > 0 for one in runs),
        "chosen": [one.chosen[:12] for one in runs],
    }
    if scores is not None:
        best, apart = regret(scores, [one.chosen for one in runs])
        sd = intervals.deviation(apart)
        margin = None if sd is None else intervals.t_quantile(len(apart) - 1) * sd / len(apart) ** 0.5
        entry |= {
            "best": best[:12],
            "best_minus_chosen": [round(one, 5) for one in apart],
            "mean_best_minus_chosen": round(mean(apart), 5),
            "margin": None if margin is None else round(margin, 5),
        }
    return entry


def main() -> None:
    """Run what is missing, and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--busy", type=int, default=2, help="runs beside a busy process, the last ones")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--summary", action="store_true", help="run nothing, record what there is")
    given = parser.parse_args()
    seconds: dict[str, float] = {}
    found: dict[int, Run] = {}
    for index in range(given.runs):
        folder = given.out / f"run-{index}"
        finished = (folder / trials.RECORDS).exists() and outcome(trials.read(folder))
        if not finished and not given.summary:
            with busy(index >= given.runs - given.busy):
                seconds[folder.name] = demo(folder, 100 * index, given.jobs)
            finished = outcome(trials.read(folder))
        if finished:
            found[index] = finished
            print(f"run {index}: {finished}", flush=True)
    runs, chosen = list(found.values()), [one.chosen for one in found.values()]
    scores = None
    if runs and not given.summary:
        scores = compare(trials.read(given.out / f"run-{min(found)}"), chosen, given.out / "truth", given.jobs)
    elif (given.out / "truth" / trials.RECORDS).exists():
        truth = scores_of(trials.read(given.out / "truth"), VALIDATION, runs[0].epochs)
        scores = truth if all({*COMPARING} <= {*truth.get(one, {})} for one in chosen) else None
    entry = record(runs, seconds, scores, sum(index >= given.runs - given.busy for index in found))
    print({name: value for name, value in entry.items() if name not in ("machine", "command")})
    harness.append(entry)


if __name__ == "__main__":
    main()
