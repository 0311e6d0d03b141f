"""Errors of the latency predictor on networks that no calibration measured, beside what repeats and what is trivial.

    python -m benchmarks.latency --target onnxruntime:float32:t1

It calibrates the target unless that has been done, measures every network in two processes, each in two parts that are
open at once, and appends a record. A run that was killed resumes. `--session 1 --part 0` measures one part alone.
"""

import subprocess
import sys
from argparse import ArgumentParser
from itertools import product
from pathlib import Path

from benchmarks.harness import append, provenance
from benchmarks.latency.errors_of import facts
from benchmarks.latency.truth import measure, times
from benchmarks.latency.unseen import unseen
from triscale.costs import Target, parse_target
from triscale.errors import InputError
from triscale.files import cache_folder
from triscale.latency.predictor import Calibration, calibrate, calibration
from triscale.latency.predictor.calibration_networks import ANCHORS, calibration_networks
from triscale.spec import Network

SESSIONS, PARTS, ROUNDS = (1, 2), 2, 10


def main() -> None:
    """Measure, compare, print and record."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--target", required=True)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--session", type=int, choices=SESSIONS)
    parser.add_argument("--part", type=int, choices=range(PARTS))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    target = parse_target(given.target)
    if given.session is not None:
        measure(target, networks(given.part), place(target, given.session, given.part), given.rounds)
        return
    kept = _calibrated(target)
    for session in SESSIONS:
        for part in range(PARTS):
            own = ["--session", str(session), "--part", str(part), "--rounds", str(given.rounds)]
            command = [sys.executable, "-m", "benchmarks.latency", "--target", str(target), *own]
            subprocess.run(command, check=True)
    measured = [[times(place(target, session, part)) for part in range(PARTS)] for session in SESSIONS]
    found = facts(kept, unseen(), measured)
    for name, value in found.items():
        print(f"{name}: {value}")
    append(
        {**provenance("latency"), "target": str(target), "rounds": given.rounds, **found}, *filter(None, [given.out])
    )
    for session, part in product(SESSIONS, range(PARTS)):
        place(target, session, part).unlink()


def networks(part: int) -> dict[str, Network]:
    """Every second unseen network, and the anchors."""
    anchors = {net.name: net for net in calibration_networks() if net.name in ANCHORS}
    return anchors | dict(list(unseen().items())[part::PARTS])


def place(target: Target, session: int, part: int) -> Path:
    """Where the rounds of a part are kept until the record is made."""
    folder = cache_folder() / "latency-benchmark"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{str(target).replace(':', '-')}-{session}-{part}.jsonl"


def _calibrated(target: Target) -> Calibration:
    try:
        return calibration(target)
    except InputError:
        return calibrate(target)


if __name__ == "__main__":
    main()
