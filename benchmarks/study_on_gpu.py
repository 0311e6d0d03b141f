"""A whole study of the embedded set on one GPU that its trainings share: how long it takes, and what it trains.

Run `python -m benchmarks.study_on_gpu` from the root of the repository; it appends one record.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import torch

from benchmarks import harness
from triscale import trials

QUESTION = ("--phi", "1", "--candidates", "6", "--seeds", "2", "--epochs", "6", "--train-size", "4000")


def main() -> None:
    """Run the study, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("study", nargs="*", default=QUESTION, help="options of triscale study")
    given = parser.parse_args()
    if given.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no GPU that torch can use")
    with tempfile.TemporaryDirectory() as place:
        folder, start = Path(place) / "study", perf_counter()
        where = ("--device", given.device, "--jobs", str(given.jobs), "--out", str(folder))
        subprocess.run([sys.executable, "-m", "triscale", "study", *given.study, *where], check=True)
        seconds, stored = perf_counter() - start, trials.read(folder)
    done = [one for one in stored if one.state == "done"]
    entry = {
        **harness.provenance("study_on_gpu"),
        "device": torch.cuda.get_device_name() if given.device == "cuda" else given.device,
        "torch": str(torch.__version__),
        "study": list(given.study),
        "jobs": given.jobs,
        "seconds": seconds,
        "trainings": len(stored),
        "done": len(done),
        "training_seconds": sum(one.metrics["seconds"] for one in done),
        "images": sum(one.metrics["samples"] for one in done),
    }
    print(f"{len(done)} of {len(stored)} trainings on {entry['device']} in {seconds:.0f} s")
    harness.append(entry)


if __name__ == "__main__":
    main()
