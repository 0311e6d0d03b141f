"""How long two commands take from nothing: `triscale networks`, and `triscale predict` with one photo.

The first is held against the import of the libraries of the command line, the second against a script that imports
torch and builds the same network in timm; each is a fresh process. Run `python -m benchmarks.startup` from the root of
the repository; it appends two records and fails if a bound is passed.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import numpy as np
import timm
import torch
from PIL import Image

from benchmarks import harness
from triscale.families import network, official_preprocessing
from triscale.nn import build
from triscale.weights import Checkpoint, save

MEMBER, ROUNDS = "efficientnet_b0", 15
LIBRARIES, NETWORKS = "import cyclopts, rich", "triscale networks"
TIMM, PREDICT = "import torch and build in timm", "triscale predict"
MOST_NETWORKS, MORE_NETWORKS, MOST_PREDICT = 2.5, 0.3, 1.3


def process(*arguments: str) -> Callable[[], object]:
    """A Python process that must end well; what it prints is thrown away."""
    return lambda: subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def prepared(folder: Path) -> tuple[str, str]:
    """A checkpoint and a photo: what the network says is random, what it costs to start is not."""
    weights, photo = folder / "weights.safetensors", folder / "photo.jpg"
    spec = network(MEMBER)
    torch.manual_seed(0)
    checkpoint = Checkpoint(
        network=spec,
        state=build(spec).state_dict(),
        classes=tuple(f"class {index}" for index in range(spec.classes)),
        preprocessing=official_preprocessing(MEMBER),
    )
    save(weights, checkpoint)
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((800, 600), Image.Resampling.BICUBIC).save(photo)
    return str(weights), str(photo)


def write(name: str, seconds: Mapping[str, list[float]], against: str, command: str, allowed: float) -> bool:
    """Append and print the record of one comparison; whether the command's median is within the bound."""
    medians = {key: median(values) for key, values in seconds.items()}
    kept = medians[command] <= allowed
    versions = {"timm": timm.__version__, "torch": torch.__version__}
    harness.append(
        harness.record(
            name, seconds, against=against, per="process", allowed_seconds=allowed, kept=kept, versions=versions
        )
    )
    text = ", ".join(f"{key} {value:.2f} s" for key, value in medians.items())
    print(f"{text}; allowed {allowed:.2f} s: {'kept' if kept else 'NOT kept'}")
    return kept


def main() -> None:
    """Compare, print and record."""
    light = harness.interleave(
        {LIBRARIES: process("-c", LIBRARIES), NETWORKS: process("-m", "triscale", "networks")}, rounds=ROUNDS
    )
    allowed = MOST_NETWORKS * median(light[LIBRARIES]) + MORE_NETWORKS
    kept = write("startup_networks", light, LIBRARIES, NETWORKS, allowed)
    peer = f"import torch, timm; timm.create_model({MEMBER!r}).eval()"
    with tempfile.TemporaryDirectory() as folder:
        weights, photo = prepared(Path(folder))
        ours = process("-m", "triscale", "predict", weights, photo)
        heavy = harness.interleave({TIMM: process("-c", peer), PREDICT: ours}, rounds=ROUNDS)
    kept &= write("startup_predict", heavy, TIMM, PREDICT, MOST_PREDICT * median(heavy[TIMM]))
    sys.exit(not kept)


if __name__ == "__main__":
    main()
