"""What a search on real images finds: several searches each by evolution, the controller and at random.

Every search proposes the same number of networks at most as expensive as the baseline, maximises their accuracy, and
trains the best of them to the end with several seeds beside the baseline. Run

    python -m benchmarks.searches --data DATA --out FOLDER

from the root of the repository; run again, it resumes. Each search has a folder below FOLDER, whose records are those
of `triscale search architecture`; `--summary` prints what they say, as Markdown, and trains nothing. `--record` appends
that as a record, and writes the tables of docs/samplers.md.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from benchmarks.harness import RECORDS, ROOT, append, provenance
from triscale import intervals, trials
from triscale.costs import metric_named
from triscale.costs.target import ANYWHERE
from triscale.families import network
from triscale.foreign import count_any
from triscale.spec import content_hash, to_document
from triscale.trials import TEST, VALIDATION, Stored
from triscale.trials.searches.search_records import FoundRecord, ProposalRecord, SearchRecord

BASELINE, SPACE = "finenet_20", "small_24"
SAMPLERS = ("evolution", "controller", "random")
PAGE = ROOT / "docs" / "samplers.md"
BEGIN, END = "<!-- searches: begin -->", "<!-- searches: end -->"
APART = 1_000
"""Between the first seeds of two searches: none shares a training with another."""


class Search(NamedTuple):
    """A search that has ended.

    Attributes:
        sampler: its name.
        seed: the first.
        macs: of the baseline and of the best proposal.
        baseline, found: test accuracy after the last trainings, of the baseline and of the best proposal, seed by seed.
        trials: validation accuracy of each trial, in the order of the proposals; None where it failed.
        spec: of the best proposal.
    """

    sampler: str
    seed: int
    macs: tuple[float, float]
    baseline: Sequence[float]
    found: Sequence[float]
    trials: Sequence[float | None]
    spec: Mapping[str, Any]

    @property
    def gain(self) -> list[float]:
        """Test accuracy of the found network minus the baseline's, seed by seed."""
        return [one - other for one, other in zip(self.found, self.baseline, strict=True)]

    @property
    def best_trial(self) -> float:
        """The highest validation accuracy of a trial."""
        return max(one for one in self.trials if one is not None)


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
    tests: dict[str, dict[int, float]] = {begun.baseline: {}, best: {}}
    scores: dict[str, float] = {}
    for one in stored:
        name = content_hash(one.network)
        if one.epochs == begun.final_epochs and TEST in one.metrics and name in tests:
            tests[name][one.seed] = one.metrics[TEST]
        if one.epochs == begun.epochs and VALIDATION in one.metrics:
            scores[name] = one.metrics[VALIDATION]
    seeds = sorted(tests[best].keys() & tests[begun.baseline].keys())
    proposed = sorted(stored.all(ProposalRecord), key=lambda one: one.number)
    return Search(
        sampler=sampler,
        seed=seed,
        macs=(macs_of(stored, begun.baseline), macs_of(stored, best)),
        baseline=[tests[begun.baseline][seed] for seed in seeds],
        found=[tests[best][seed] for seed in seeds],
        trials=[scores.get(one.network) for one in proposed],
        spec=to_document(stored.network(best)),
    )


def macs_of(stored: Stored, name: str) -> float:
    """MACs of a network of the records."""
    return count_any(stored.network(name)).macs


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
            f"{100 * mean(one.baseline):.1f}", f"{100 * mean(one.found):.1f}",
            mean_and_interval(one.gain),
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    at_random = [mean(one.found) for one in found if one.sampler == "random"]
    lines += [
        "",
        "| sampler | searches | found minus baseline, points | minus the best found at random |",
        "|---|---:|---:|---:|",
    ]
    for sampler in SAMPLERS:
        mine = [one for one in found if one.sampler == sampler]
        if mine:
            gains = mean_and_interval([mean(one.gain) for one in mine])
            beside = [mean(one.found) - max(at_random) for one in mine] if at_random else []
            apart = mean_and_interval(beside) if beside and sampler != "random" else ""
            lines.append(f"| {sampler} | {len(mine)} | {gains} | {apart} |")
    return "\n".join(lines)


def recorded() -> dict[str, dict[str, Any]]:
    """The last record of each data set."""
    lines = map(json.loads, RECORDS.read_text(encoding="utf-8").splitlines())
    return {one["data"]: one for one in lines if one["name"] == "searches"}


def of_records() -> str:
    """The tables of docs/samplers.md, and how each was made."""
    parts = []
    for name, one in recorded().items():
        text = (
            f"**{name}**: {one['trials']} trainings of {one['epochs']} epochs of {one['train_size']:,} images in each "
            f"search; then {one['baseline']} and the network that was found, {one['final_epochs']} epochs with "
            f"{one['seeds']} seeds each"
        )
        searches = [Search(**{**search, "macs": tuple(search["macs"])}) for search in one["searches"]]
        parts.append(f"{text}.\n\n{summary(searches)}")
    return "\n\n".join(parts)


def drawn(page: str) -> str:
    """The text of the page with the tables in their place."""
    before, rest = page.split(f"{BEGIN}\n")
    return f"{before}{BEGIN}\n\n{of_records()}\n\n{END}{rest.split(END)[1]}"


def arguments() -> argparse.Namespace:
    """The command line."""
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
    parser.add_argument("--record", action="store_true", help="train nothing; append a record, and write the tables")
    return parser.parse_args()


def main() -> None:
    """Run what is missing, and print the summary."""
    given, found = arguments(), []
    for sampler, seed, folder in every(given):
        if not (given.summary or given.record) and ended(folder) is None:
            run(given, sampler, seed, folder)
        if (stored := ended(folder)) is not None:
            found.append(searched(stored, sampler, seed))
    print(summary(found))
    if given.record:
        asked = {name: getattr(given, name) for name in ("trials", "epochs", "final_epochs", "train_size", "seeds")}
        data = {"data": Path(given.data).name, "baseline": BASELINE, "space": SPACE}
        append({**provenance("searches"), **data, **asked, "searches": [one._asdict() for one in found]})
        PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
