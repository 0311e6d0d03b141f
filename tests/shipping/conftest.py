"""Images of four colours, and one finished fit on them that many tests read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import triscale
from triscale.api import FitResult

SIDE, CLASSES = 24, 4
BUDGET = {"macs": 120_000.0, "file_size": 90_000.0}


@dataclass(frozen=True)
class Fitted:
    """A finished fit: its folder, its images and its result."""

    folder: Path
    data: Path
    result: FitResult


Ask = Callable[..., FitResult]


def ask(data: Path, out: Path, **other: object) -> FitResult:
    """The question of all tests here, with what is asked otherwise."""
    asked: dict[str, object] = {"budget": BUDGET, "epochs": 3, "device": "cpu", "threads": 1, "loader_workers": 0}
    return triscale.fit(data, out=out, **{**asked, **other})  # type: ignore[arg-type]


def colours(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images [n, h, w, 3] whose class is the strength of their red, which a network learns in a few steps."""
    draws = np.random.default_rng(seed)
    labels = np.arange(n) % CLASSES
    images = draws.integers(0, 90, (n, SIDE, SIDE, 3))
    images[..., 0] += 50 * labels[:, None, None]
    return images.astype(np.uint8), labels


@pytest.fixture(scope="session")
def colour_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One .npz file with a training and a test split."""
    (images, labels), (test_images, test_labels) = colours(120, 0), colours(40, 1)
    path = tmp_path_factory.mktemp("colours") / "colours.npz"
    np.savez(path, x_train=images, y_train=labels, x_test=test_images, y_test=test_labels)
    return path


@pytest.fixture(scope="session")
def fitted(colour_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    """Read it, copy it, but leave it as it is."""
    folder = tmp_path_factory.mktemp("fit") / "shipped"
    return Fitted(folder, colour_data, ask(colour_data, folder))
