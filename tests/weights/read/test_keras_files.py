"""Keras' own files, written by Keras in a process of its own, give Keras' own answers: `make slow`."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.parity import pictures
from tests.paths import ROOT
from triscale.data.feed.in_memory import to_tensor
from triscale.errors import InputError
from triscale.weights import load_weights

pytestmark = pytest.mark.slow

PYTHON = Path(os.environ.get("TRISCALE_KERAS_PYTHON", ROOT / ".venv-keras" / "bin" / "python"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files, the pixels and Keras' logits of them."""
    _, _, height, width = pictures.calibrating().shape
    return written_by("keras_files", tmp_path_factory.mktemp("keras"), (height, width), "tensorflow")


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of networks within networks; KERAS_BACKEND may name another backend than TensorFlow."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    return written_by("keras_nested", tmp_path_factory.mktemp("nested"), (64, 64), backend)


def written_by(module: str, folder: Path, size: tuple[int, int], backend: str) -> Path:
    if not PYTHON.exists():
        pytest.skip(f"there is no {PYTHON}: `make .venv-keras/.installed`, or set TRISCALE_KERAS_PYTHON")
    np.save(folder / "pixels.npy", np.random.default_rng(0).integers(0, 256, (2, *size, 3), dtype=np.uint8))
    quiet = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": backend, "PYTHONPATH": ""}
    done = subprocess.run(
        [PYTHON, "-m", f"tests.weights.{module}", folder],
        cwd=ROOT, env=os.environ | quiet, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.mark.parametrize("name", ["k.weights.h5", "k.keras", "k.h5"])
def test_logits_of_raw_pixels_match_keras(written: Path, name: str) -> None:
    """Weights, padding and eps, and mean and std from Keras' normalisation: all of it comes out of the file."""
    found = load_weights(written / name, "keras:EfficientNetB0")
    expected = torch.from_numpy(np.load(written / "logits.npy"))
    how = found.preprocessing
    with torch.inference_mode():
        logits = found.model()(to_tensor(np.load(written / "pixels.npy"), how.mean, how.std))

    assert how.mean == pytest.approx((0.4, 0.5, 0.6))
    assert how.std == pytest.approx((0.3, 0.2, 0.25))
    assert float((logits - expected).abs().max()) <= 1e-5 * float(expected.abs().max())
    assert not torch.equal(expected[0].argmax(), expected[1].argmax())


@pytest.mark.parametrize("model", ["functional", "sequential"])
@pytest.mark.parametrize("suffix", ["weights.h5", "keras", "h5"])
def test_logits_of_a_nested_network_match_keras(nested: Path, model: str, suffix: str) -> None:
    found = load_weights(nested / f"{model}.{suffix}", "keras:EfficientNetB0")
    expected = torch.from_numpy(np.load(nested / "logits.npy"))
    how = found.preprocessing
    with torch.inference_mode():
        logits = found.model()(to_tensor(np.load(nested / "pixels.npy"), how.mean, how.std))

    assert float((logits - expected).abs().max()) <= 1e-5 * float(expected.abs().max())
    assert "the classifier is " in found.notes[0]


def test_a_classifier_behind_another_pooling_is_not_taken(nested: Path) -> None:
    with pytest.raises(InputError, match="GlobalMaxPooling2D"):
        load_weights(nested / "maximum.keras", "keras:EfficientNetB0")
