"""Measured times: every network in one process, in shuffled rounds; a line a round, so that a killed one resumes.

On one thread it is the time of the processor, which other processes disturb less than the time of the wall; the 5th
percentile of all runs counts.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from triscale.costs import Target
from triscale.engines import engine_named
from triscale.latency.predictor.calibration_passes import PERCENTILE, images_for, run_times
from triscale.spec import Network


def measure(target: Target, networks: Mapping[str, Network], path: Path, rounds: int) -> None:
    """Append the rounds that the file lacks. Two processes with files of their own show how well times repeat."""
    lines = list(_lines(path))
    todo = sorted(set(range(rounds)) - {line["round"] for line in lines})
    if not todo:
        return
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    opened = {
        name: (engine_named(target.runtime).open(net, target), images_for(net, target.batch))
        for name, net in networks.items()
    }
    for number in todo:
        order = Random(number).sample(sorted(opened), len(opened))
        found = {name: run_times(*opened[name], target.threads) for name in order}
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"round": number, "ms": found}) + "\n")


def times(path: Path) -> dict[str, float]:
    """Milliseconds by network, of all rounds in a file."""
    pooled = defaultdict[str, list[float]](list)
    for line in _lines(path):
        for name, values in line["ms"].items():
            pooled[name] += values
    return {name: float(np.percentile(values, PERCENTILE)) for name, values in pooled.items()}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a file; a last one that was cut off is left out."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return (json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n"))
