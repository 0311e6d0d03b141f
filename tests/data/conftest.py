"""Small data sets made at run time."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Paint = Callable[..., Path]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def paint() -> Paint:
    """Writes an image whose pixels depend on its path, and returns the path."""

    def write(path: Path, *, size: tuple[int, int] = (20, 24)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        draws = np.random.default_rng(list(os.fsencode(path.name) + os.fsencode(path.parent)))
        pixels = draws.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        return path

    return write


@pytest.fixture
def folders(tmp_path: Path, paint: Paint) -> Path:
    """Class folders `train` and `test` of cats and dogs, 6 and 3 images a class."""
    root = tmp_path / "photos"
    for split, count in (("train", 6), ("test", 3)):
        for name in ("cat", "dog"):
            for i in range(count):
                paint(root / split / name / f"{i}.png")
    return root


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A folder with `train.npz` and `test.npz`: 40 and 12 images of 8x10 px, four classes."""
    draws = np.random.default_rng(0)
    root = tmp_path / "pair"
    root.mkdir()
    for split, count in (("train", 40), ("test", 12)):
        images: NDArray[np.uint8] = draws.integers(0, 256, (count, 8, 10, 3), dtype=np.uint8)
        labels = (np.arange(count) % 4).astype(np.uint8)
        np.savez_compressed(root / f"{split}.npz", images=images, labels=labels, classes=np.array(["a", "b", "c", "d"]))
    return root
