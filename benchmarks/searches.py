"""What a search on real images finds: several searches each by evolution, the controller and at random.

Every search proposes the same number of networks at most as expensive as the baseline, maximises their accuracy, and
trains the best of them to the end with several seeds beside the baseline. Run

    python -m benchmarks.searches --data DATA --out FOLDER

from the root of the repository; run again, it resumes. Each search has a folder below FOLDER, whose records are those
of `triscale search architecture`; `--summary` prints what they say, as Markdown, and trains nothing.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from triscale import intervals, trials
from triscale.costs import metric_named
from triscale.costs.target import ANYWHERE
from triscale.families import network
from triscale.foreign import count_any
from triscale.spec import content_hash
from triscale.trials import TEST, VALIDATION, Stored
from triscale.trials.searches.search_records import FoundRecord, SearchRecord

BASELINE, SPACE = "finenet_20", "small_24"
SAMPLERS = ("evolution", "controller", "random")
APART = 1_000
"""Between the first seeds of two searches: none shares a training with another."""


class Search(NamedTuple):
    """A search that has ended.

    Attributes:
        sampler: its name.
        seed: the first.
        macs: of the baseline and of the best proposal.
        baseline, found: seed -> test accuracy after the last trainings, of the baseline and of the best proposal.
        best_trial: validation accuracy of the best trial of the search.
    """

    sampler: str
    seed: int
    macs: tuple[float, float]
    baseline: Mapping[int, float]
    found: Mapping[int, float]
    best_trial: float

    @property
    def gain(self) -> list[float]:
        """Test accuracy of the found network minus the baseline's, by seed."""
        return [self.found[seed] - self.baseline[seed] for seed in sorted(self.found.keys() & self.baseline.keys())]


def ended(folder: Path) -> Stored | None:
    """The records of a search that has its answer."""
    if not (folder / trials.RECORDS).exists():
        return None
    stored = trials.read(folder)
    return stored if stored.one(FoundRecord) else None


def searched(stored: Stored, sampler: str, seed: int) -> Search:
    """What a search's records say of the baseline and the best proposal."""
    begun, found = stored.one(SearchRecord), stored.one(FoundRecord)
    if begun is None or found is None:
        raise SystemExit("the search has not ended")
    best = next(one.id for one in found.finalists if one.rule == "found")
    tests: dict[str, dict[int, float]] = {}
    for one in stored:
        if one.epochs == begun.final_epochs and TEST in one.metrics:
            tests.setdefault(content_hash(one.network), {})[one.seed] = one.metrics[TEST]
    costs = [count_any(stored.network(one)).macs for one in (begun.baseline, best)]
    best_trial = max(
        one.metrics[VALIDATION] for one in stored if one.epochs == begun.epochs and VALIDATION in one.metrics
    )
    return Search(sampler, seed, (costs[0], costs[1]), tests.get(begun.baseline, {}), tests.get(best, {}), best_trial)


def every(given: argparse.Namespace) -> Iterator[tuple[str, int, Path]]:
    """The searches in the order in which they run: one of each sampler, then the next of each."""
    for index in range(given.searches):
        for sampler in SAMPLERS:
            yield sampler, APART * index, Path(given.out) / f"{sampler}-{index}"


def run(given: argparse.Namespace, sampler: str, seed: int, folder: Path) -> None:
    """Run or resume a search."""
    limit = metric_named("macs").of(network(BASELINE), ANYWHERE)
    words = (
        "search", "architecture", BASELINE, "--space", SPACE, "--data", given.data, "--objective", "accuracy",
        "--budget", f"macs={limit:.0f}", "--sampler", sampler, "--trials", given.trials, "--epochs", given.epochs,
        "--final-epochs", given.final_epochs, "--train-size", given.train_size, "--seeds", given.seeds,
        "--seed", seed, "--jobs", given.jobs, "--threads", 1, "--out", folder,
    )  # fmt: skip
    subprocess.run([sys.executable, "-m", "triscale", *map(str, words)], check=True, env=os.environ)


def mean_and_interval(values: Sequence[float]) -> str:
    """In points, with the 95% interval of Student's t."""
    sd = intervals.deviation(values)
    if sd is None:
        return f"{100 * mean(values):+.1f}"
    margin = intervals.t_quantile(len(values) - 1) * sd / len(values) ** 0.5
    return f"{100 * mean(values):+.1f} ({100 * (mean(values) - margin):+.1f} to {100 * (mean(values) + margin):+.1f})"


def summary(found: Sequence[Search]) -> str:
    """A row for each search, and for each sampler its searches together and beside the best one at random."""
    lines = [
        "| search | best trial, % | MACs of the found | baseline, test % | found, test % | minus baseline, points |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for one in found:
        cells = (
            f"{one.sampler}, seed {one.seed}", f"{100 * one.best_trial:.1f}", f"{one.macs[1] / one.macs[0]:.2f}x",
            f"{100 * mean(one.baseline.values()):.1f}", f"{100 * mean(one.found.values()):.1f}",
            mean_and_interval(one.gain),
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    at_random = [mean(one.found.values()) for one in found if one.sampler == "random"]
    lines += [
        "",
        "| sampler | searches | found minus baseline, points | minus the best found at random |",
        "|---|---:|---:|---:|",
    ]
    for sampler in SAMPLERS:
        mine = [one for one in found if one.sampler == sampler]
        if mine:
            gains = mean_and_interval([mean(one.gain) for one in mine])
            beside = [mean(one.found.values()) - max(at_random) for one in mine] if at_random else []
            apart = mean_and_interval(beside) if beside and sampler != "random" else ""
            lines.append(f"| {sampler} | {len(mine)} | {gains} | {apart} |")
    return "\n".join(lines)


def main() -> None:
    """Run what is missing, and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="flowers")
    parser.add_argument("--out", required=True)
    parser.add_argument("--searches", type=int, default=3, help="by each sampler")
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--final-epochs", type=int, default=16)
    parser.add_argument("--train-size", type=int, default=6_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--summary", action="store_true", help="train nothing")
    given = parser.parse_args()
    found = []
    for sampler, seed, folder in every(given):
        if not given.summary and ended(folder) is None:
            run(given, sampler, seed, folder)
        if (stored := ended(folder)) is not None:
            found.append(searched(stored, sampler, seed))
    print(summary(found))


if __name__ == "__main__":
    main()
