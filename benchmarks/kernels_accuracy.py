"""The same trainings with and without the compiled kernels: whether what is learned is the same within seed noise.

Run `python -m benchmarks.kernels_accuracy` from the root of the repository; the same command goes on where it stopped,
and appends a record at the end. Pictures: the first of each class of CIFAR-10, read from `cifar10/train.npz` in
`TRISCALE_TEST_DATA` (by default `../shared/data`). The recipe is `quick`, in both precisions; accuracies are
of the last epoch, on the tenth of the pictures that no training saw.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch

from benchmarks import harness
from triscale import trials

NAME = "kernels_accuracy"
PRECISIONS = ("float32", "bfloat16")


def train(given: argparse.Namespace, precision: str, seed: int, *, kernels: bool) -> dict[str, Any]:
    """One training to its end: accuracy, loss and speed."""
    recipe = given.out / f"{precision}.toml"
    recipe.write_text(f'precision = "{precision}"\nepochs = {given.epochs}\n', encoding="utf-8")
    folder = given.out / f"{precision}-{'kernels' if kernels else 'torch'}-{seed}"
    command = [
        "train", "--network", given.network, "--data", str(given.out / "pictures"), "--recipe", str(recipe),
        "--seed", str(seed), "--threads", "1", "--device", "cpu", "--out", str(folder),
        *([] if kernels else ["--no-kernels"]),
        *(["--resolution", given.resolution] if given.resolution else []),
    ]  # fmt: skip
    subprocess.run([sys.executable, "-m", "triscale", *command], check=True, capture_output=True)
    (trial,) = trials.read(folder)
    last, plan = trial.history[-1], trial.numerics.plan if trial.numerics else None
    return {
        "top1": last.validation_top1,
        "loss": last.train_loss,
        "images_per_second": trial.metrics["images_per_second"],
        "ways": len(plan.convolutions) + len(plan.norms) + len(plan.blocks) if plan else 0,
    }


def write_pictures(folder: Path, classwise: int) -> None:
    """An .npz pair of the first pictures of each class; the second one is not looked at."""
    place = Path(os.environ.get("TRISCALE_TEST_DATA", harness.ROOT.parent / "shared" / "data")) / "cifar10"
    folder.mkdir(exist_ok=True)
    for part, most in (("train", classwise), ("test", 10)):
        if (folder / f"{part}.npz").exists():
            continue
        with np.load(place / f"{part}.npz") as whole:
            labels = whole["labels"]
            first = np.concatenate([np.flatnonzero(labels == one)[:most] for one in range(10)])
            chosen = np.sort(first)
            np.savez(folder / f"{part}.npz", images=whole["images"][chosen], labels=labels[chosen],
                     classes=whole["classes"])  # fmt: skip


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean and standard deviation."""
    return {"mean": mean(values), "sd": stdev(values)}


def main() -> None:
    """Train, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="smallnet_32")
    parser.add_argument("--resolution")
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--precision", nargs="+", default=PRECISIONS, choices=PRECISIONS)
    parser.add_argument("--out", type=Path, default=Path("triscale-runs/kernels"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    write_pictures(given.out / "pictures", given.pictures // 10)
    found: dict[str, Any] = {}
    for precision in given.precision:
        runs: dict[str, list[dict[str, Any]]] = {"kernels": [], "torch": []}
        for seed in range(given.seeds):
            for name, way in runs.items():
                way.append(train(given, precision, seed, kernels=name == "kernels"))
        top1 = {name: [run["top1"] for run in way] for name, way in runs.items()}
        differences = [ours - plain for ours, plain in zip(top1["kernels"], top1["torch"], strict=True)]
        found[precision] = {
            "runs": runs,
            **{name: spread(values) for name, values in top1.items()},
            "difference": spread(differences),
            "standard_error": stdev(differences) / len(differences) ** 0.5,
        }
        for name, values in top1.items():
            print(f"{precision}, {name}: {mean(values):.1%} (sd of seeds {stdev(values):.1%})")
        print(f"{precision}, difference: {mean(differences):+.1%} +- {found[precision]['standard_error']:.1%}")
    del given.out
    harness.append({**harness.provenance(NAME), **vars(given), "found": found, "torch": torch.__version__})


if __name__ == "__main__":
    main()
