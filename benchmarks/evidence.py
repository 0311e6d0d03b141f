"""A study's networks trained on all images: the one that was found, its rivals at the same cost, and those at phi 2.

A study compares short trainings of a part of the images. Here the baseline, the chosen network, the three corners and
the paper's point are trained on all of them, and at the largest phi the member of the family and its best rival, by
validation, each with several seeds; then every one is tested. Run

    python -m benchmarks.evidence STUDY --data DATA --out FOLDER

from the root of the repository; run again, it resumes. FOLDER/records.jsonl has a trial for each training, and
`--summary` prints what they say.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import torch

from triscale import intervals, trials
from triscale.data import Source
from triscale.search.decisions.trial_scores import scores_of
from triscale.search.studies.question import Question
from triscale.search.trainings.campaign import Campaign, Terms, terms_of
from triscale.search.trainings.image_policy import policy_of
from triscale.search.trainings.progress import Quiet
from triscale.search.trainings.shared_terms import Training
from triscale.search.trainings.testing import test_accuracy
from triscale.search.trainings.work import opened
from triscale.search.trainings.workers import LOCAL
from triscale.spec import AnyNetwork, content_hash
from triscale.training import numerics_here
from triscale.trials import TEST, VALIDATION, Stored, TrialStore
from triscale.trials.study_records import FamilyRecord, MemberRecord, PlanRecord, StudyRecord
from triscale.weights import load_classifier

AT_1 = ("compound", "depth", "width", "resolution", "paper")


class Progress(Quiet):
    """Prints each training that ends."""

    def say(self, text: str) -> None:
        """Print it."""
        print(text, flush=True)

    def settled(self, trial: trials.Trial) -> None:
        """Print what came out."""
        found = trial.metrics.get(VALIDATION)
        print(f"{trial.purpose}, seed {trial.seed}: {trial.reason if found is None else f'{found:.4f}'}", flush=True)


def wanted(study: Stored) -> Iterator[MemberRecord]:
    """The members of the family to train: see above."""
    family, plan = study.one(FamilyRecord), study.one(PlanRecord)
    if family is None or plan is None:
        raise SystemExit("the study has not chosen yet")
    yield from (one for one in family.members if one.rule == "baseline" or (one.phi == 1 and one.rule in AT_1))
    last = max(one.phi for one in family.members)
    if last > 1:
        scores = scores_of(study, VALIDATION, plan.epochs)
        there = [one for one in family.members if one.phi == last and one.id in scores]
        yield from (one for one in there if one.rule == "compound")
        if rivals := [one for one in there if one.rule != "compound"]:
            yield max(rivals, key=lambda one: mean(scores[one.id].values()))


def named(one: MemberRecord) -> str:
    """As trials call it: their purpose."""
    return "baseline" if one.rule == "baseline" else f"{one.rule}, phi {one.phi:g}"


def asked(study: Stored, data: str, epochs: int) -> Question:
    """The question of the study, for all images."""
    record = study.one(StudyRecord)
    if record is None:
        raise SystemExit("the folder holds no study")
    kept = ("network", "recipe", "precision", "batch", "seed", "group_by")
    values: dict[str, Any] = {name: record.question[name] for name in kept if record.question.get(name) is not None}
    return Question(data=data, epochs=epochs, **values)


def terms(question: Question, networks: Sequence[AnyNetwork], device: str, epochs: int) -> tuple[Terms, Source]:
    """What the trainings share, and the images."""
    policy = policy_of(question, None)
    source = opened(question.data, policy, afresh=True)
    found = terms_of(question, networks[0], source, policy, numerics_here(device, 1), 0, print)
    return replace(found, job=replace(found.job, recipe=replace(found.job.recipe, epochs=epochs))), source


def train(given: argparse.Namespace) -> None:
    """Train and test what is missing."""
    study = trials.read(given.study)
    members = list(wanted(study))
    networks = [study.network(one.id) for one in members]
    question = asked(study, given.data, given.epochs)
    shared, source = terms(question, networks, given.device, given.epochs)
    purposes: dict[str, str] = {}
    for one in members:  # a network that stands for two is trained once
        purposes.setdefault(one.id, named(one))
    with TrialStore(Path(given.out)) as store:
        workers = LOCAL.workers(given.jobs, 1, question.data, store.folder, print)
        campaign = Campaign(store, shared, workers.executor, Progress())
        try:
            for k in range(given.seeds):  # tested seed by seed: what is interrupted keeps what it has
                every = [
                    Training(network, purposes[content_hash(network)], question.seed + k, given.epochs)
                    for network in {content_hash(one): one for one in networks}.values()
                ]
                campaign.train([one for one in every if not campaign.is_settled(one)])
                test(campaign, store, source, given.device)
        finally:
            workers.executor.close()


def test(campaign: Campaign, store: TrialStore, source: Source, device: str) -> None:
    """Write the test accuracy of what is trained and not tested."""
    for trial in list(store):
        if trial.state == "done" and TEST not in trial.metrics:
            classifier = load_classifier(campaign.checkpoint(trial)).on(torch.device(device))
            top1 = test_accuracy(classifier, source)
            store.put(replace(trial, metrics={**trial.metrics, TEST: top1}))


def summary(folder: Path) -> str:
    """A line for each network: mean test top-1 over seeds with its 95% interval, and the paired difference."""
    stored = trials.read(folder)
    by_purpose: dict[str, dict[int, float]] = {}
    macs: dict[str, float] = {}
    for one in stored:
        if TEST in one.metrics:
            by_purpose.setdefault(one.purpose, {})[one.seed] = one.metrics[TEST]
            macs[one.purpose] = one.cost["macs"]
    lines = ["| network | MACs | test top-1, % | seeds | found minus it |", "|---|---:|---:|---:|---:|"]
    for name, found in by_purpose.items():
        reference = by_purpose.get("compound, phi 1" if macs[name] < 1.5 * macs.get("compound, phi 1", 0) else "")
        apart = "" if reference is None or reference is found else _difference(reference, found)
        lines.append(
            f"| {name} | {macs[name] / 1e6:.2f} M | {100 * mean(found.values()):.1f} | {len(found)} | {apart} |"
        )
    return "\n".join(lines)


def _difference(one: dict[int, float], two: dict[int, float]) -> str:
    apart = [one[seed] - two[seed] for seed in sorted(one.keys() & two.keys())]
    sd = intervals.deviation(apart)
    margin = "" if sd is None else f" +- {100 * intervals.t_quantile(len(apart) - 1) * sd / len(apart) ** 0.5:.1f}"
    return f"{100 * mean(apart):+.1f}{margin}"


def main() -> None:
    """Train and test what is missing, or print what there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--summary", action="store_true", help="train nothing, print what there is")
    given = parser.parse_args()
    if not given.summary:
        train(given)
    print(summary(given.out))


if __name__ == "__main__":
    main()
