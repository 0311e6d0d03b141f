"""Training in two processes of one thread, beside one process of one thread and one of two threads.

Each is a fresh `torchrun` of `triscale train` on the embedded pictures; what counts is the images a second that it
records, from its first step on. Run `python -m benchmarks.processes` from the root of the repository.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import torch

from benchmarks import harness
from triscale import trials

NETWORK, ROUNDS = "smallnet_48", 3
PLANS = {"1 process, 1 thread": (1, 1), "2 processes, 1 thread each": (2, 1), "1 process, 2 threads": (1, 2)}


def speed(folder: Path, processes: int, threads: int) -> float:
    """Images a second of one training."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m", "triscale"]
    command = ["train", "--network", NETWORK, "--data", "flowers", "--epochs", "6", "--device", "cpu"]
    subprocess.run(
        [sys.executable, *launcher, *command, "--threads", str(threads), "--out", str(folder)],
        env={**os.environ, "OMP_NUM_THREADS": str(threads)}, check=True, capture_output=True,
    )  # fmt: skip
    (trial,) = trials.read(folder)
    return trial.metrics["images_per_second"]


def main() -> None:
    """Measure in turns, print and record."""
    speeds: dict[str, list[float]] = {name: [] for name in PLANS}
    with tempfile.TemporaryDirectory() as place:
        for index in range(ROUNDS):
            for name, (processes, threads) in list(PLANS.items())[:: -1 if index % 2 else 1]:
                speeds[name].append(speed(Path(place) / f"{name} {index}", processes, threads))
    medians = {name: median(values) for name, values in speeds.items()}
    alone, together, threaded = medians.values()
    for name, value in medians.items():
        print(f"{name}: {value:.0f} images/s")
    print(f"efficiency of two processes: {together / (2 * alone):.2f}; beside two threads: {together / threaded:.2f}x")
    harness.append(
        {
            **harness.provenance("processes"),
            "network": NETWORK,
            "torch": str(torch.__version__),
            "images_per_second": speeds,
            "medians": medians,
            "efficiency": together / (2 * alone),
            "against_two_threads": together / threaded,
        }
    )


if __name__ == "__main__":
    main()
