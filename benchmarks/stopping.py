"""Replay the rule of `--stop-hopeless` on finished trainings: `python -m benchmarks.stopping [FOLDER ...]`.

A folder is that of a study, or holds folders of trainings. Of each network one training counts, of the length that most
have. They come in a random order, where a trial knows all but the last seven before it (the lag of a search is 8).
Appends one record for each folder: the share of all epochs that is saved, and how often the best network is lost.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from random import Random
from statistics import mean
from typing import NamedTuple

from benchmarks.harness import ROOT, append, provenance
from triscale.search.explorations.rungs.hopeless import Course, floors
from triscale.search.explorations.search_question import SearchQuestion
from triscale.spec import content_hash
from triscale.trials import RECORDS, Trial, read

ORDERS = 1_000
TABLES = (ROOT / "results" / "tables" / "cifar10",)


class Replay(NamedTuple):
    """One order: shares of epochs saved and of trainings stopped, whether the best was, and what that loses."""

    saved: float
    stopped: float
    lost: bool
    loss: float


def trials_in(folder: Path) -> Iterable[Trial]:
    """Of a study, or of all trainings below the folder."""
    stores = [folder] if (folder / RECORDS).exists() else sorted(one.parent for one in folder.glob(f"*/{RECORDS}"))
    return (trial for store in stores for trial in read(store) if trial.state == "done")


def courses(trials: Iterable[Trial]) -> list[list[float]]:
    """Validation accuracy by epoch of one training of each network, all of the length that most networks have."""
    found: dict[int, dict[str, list[float]]] = {}
    for one in trials:
        course = [epoch.validation_top1 for epoch in one.history]
        if len(course) == one.epochs and one.job.weights is None:
            found.setdefault(one.epochs, {}).setdefault(content_hash(one.network), course)
    longest = Counter({epochs: (len(some), epochs) for epochs, some in found.items()})
    return list(found[max(longest, key=lambda epochs: longest[epochs])].values())


def replayed(ordered: Sequence[Course], lag: int) -> Replay:
    """What the rule does to trainings in this order."""
    known: list[Course] = []
    for number, course in enumerate(ordered):
        limits = floors(known[: max(0, number - lag + 1)], len(course))
        pairs = zip_longest(course, limits)
        known.append(course[: next((at for at, (top, low) in enumerate(pairs, 1) if low and top < low), len(course))])
    whole = [len(own) == len(course) for own, course in zip(known, ordered, strict=True)]
    best = max(course[-1] for course in ordered)
    left = max(course[-1] for course, kept in zip(ordered, whole, strict=True) if kept)
    return Replay(
        saved=1 - sum(map(len, known)) / sum(map(len, ordered)), stopped=1 - mean(whole), lost=left < best,
        loss=100 * (best - left),
    )  # fmt: skip


def measure(folder: Path) -> dict[str, object]:
    """The record of a folder."""
    known, lag = courses(trials_in(folder)), SearchQuestion().lag
    runs = [replayed(Random(seed).sample(known, len(known)), lag) for seed in range(ORDERS)]
    return {
        **provenance("stopping"), "table": folder.name, "networks": len(known), "epochs": len(known[0]), "lag": lag,
        "n": ORDERS, "saved": mean(one.saved for one in runs), "stopped": mean(one.stopped for one in runs),
        "best_lost": mean(one.lost for one in runs), "loss": mean(one.loss for one in runs),
    }  # fmt: skip


def main() -> None:
    """Replay, print and append."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="*", default=TABLES)
    parser.add_argument("--records", type=Path, help="append here instead of benchmarks/records.jsonl")
    asked = parser.parse_args()
    for folder in asked.folders:
        entry = measure(folder)
        append(entry, asked.records) if asked.records else append(entry)
        print({name: entry[name] for name in ("table", "networks", "epochs", "saved", "stopped", "best_lost", "loss")})


if __name__ == "__main__":
    main()
