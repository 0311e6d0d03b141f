"""A few small images in class folders, and a network that is made for them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from tests.training.test_loop import NETWORK

SMALL = replace(NETWORK, stochastic_depth=0.2, head=replace(NETWORK.head, dropout=0.2))


def class_folders(root: Path, classes: int = 2, count: int = 46, formats: Sequence[str] = ("png",)) -> Path:
    """Noise at 10 px in which class k has more of the k-th colour; files take turns with the formats."""
    draws = np.random.default_rng(0)
    for label in range(classes):
        folder = root / str(label)
        folder.mkdir(parents=True)
        for index in range(count):
            pixels = draws.integers(0, 200, (10, 10, 3), dtype=np.uint8)
            pixels[..., label] += 50
            Image.fromarray(pixels).save(folder / f"{index}.{formats[index % len(formats)]}")
    return root
