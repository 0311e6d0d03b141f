"""A small network that really learned something, with a preprocessing that is not the default."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from triscale.data import open_split
from triscale.data.feed.in_memory import Augmentation, to_tensor
from triscale.data.source import rendered
from triscale.evaluation import top1
from triscale.nn import build
from triscale.spec import IMAGENET, Head, Network, Norm, Stage, Stem
from triscale.training import PictureFeed, Recipe, Trainer, train
from triscale.weights import Checkpoint, save

CLASSES = ("dark large", "dark small", "light large", "light small", "medium large", "medium small")
HOW = replace(IMAGENET, crop=0.8)
NETWORK = Network(
    name="disks",
    resolution=(16, 16),
    stem=Stem(channels=12, stride=1),
    stages=(
        Stage(operator="mbconv", expand=2, channels=16, repeats=1, stride=2),
        Stage(operator="mbconv", expand=2, channels=24, repeats=1, stride=2),
    ),
    head=Head(channels=48),
    norm=Norm(momentum=0.1),
    classes=len(CLASSES),
)
_LEVELS = {"dark": 55, "medium": 115, "light": 175}
_RADII = {"small": 13.0, "large": 17.0}


def paint(label: int, draws: np.random.Generator) -> Image.Image:
    """A disk on grey, 60x80 px: how light the image is and how large the disk is tell the class."""
    level, radius = CLASSES[label].split()
    rows, columns = np.mgrid[:60, :80]
    centre = 29.5 + draws.uniform(-1, 1), 39.5 + draws.uniform(-1, 1)
    distance = np.hypot(rows - centre[0], columns - centre[1])
    inside = np.clip(_RADII[radius] + draws.uniform(-1, 1) - distance, -0.5, 0.5)
    pixels = _LEVELS[level] + draws.uniform(-12, 12) + 60 * inside + draws.normal(0, 4, (60, 80))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).convert("RGB")


@pytest.fixture(scope="session")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders `train` (40 a class) and `test` (15 a class)."""
    root, draws = tmp_path_factory.mktemp("disks"), np.random.default_rng(0)
    for split, count in (("train", 40), ("test", 15)):
        for label, name in enumerate(CLASSES):
            folder = root / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                paint(label, draws).save(folder / f"{index}.png")
    return root


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory, disks: Path) -> Path:
    """A checkpoint that tells the disks."""
    held = open_split(disks, "train")
    pixels = np.concatenate(list(rendered(held.part, NETWORK.resolution, HOW)))
    labels = held.part.labels
    everything, as_they_are = np.arange(len(labels)), Augmentation(flip=False, shift=0)
    feed = PictureFeed(images=pixels, labels=labels, indices=everything, batch=40, seed=0, augmentation=as_they_are,
                       mean=HOW.mean, std=HOW.std)  # fmt: skip
    torch.manual_seed(0)
    model = build(NETWORK)
    batches = [(to_tensor(pixels, HOW.mean, HOW.std), torch.from_numpy(labels))]
    train(Trainer(model, Recipe(epochs=12), feed.steps), feed, lambda model: top1(model, batches))
    path = tmp_path_factory.mktemp("weights") / "disks.safetensors"
    save(path, Checkpoint(network=NETWORK, state=model.state_dict(), classes=CLASSES, preprocessing=HOW))
    return path
