"""Keras' side of `test_keras_files`, for an interpreter that has Keras: `python -m tests.weights.keras_files FOLDER`.

Writes one randomised EfficientNetB0 in each of Keras' formats, and the logits of the images in `pixels.npy`.
"""

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.parity import pictures
from benchmarks.parity.keras_peer import create, randomise

MEAN, STD = (0.4, 0.5, 0.6), (0.3, 0.2, 0.25)


def main(folder: Path) -> None:
    """Write the files."""
    model = create("EfficientNetB0", pictures.calibrating().shape[2:], "float32")
    (normalization,) = (layer for layer in model.layers if isinstance(layer, keras.layers.Normalization))
    normalization.adapt_mean.assign(MEAN)
    normalization.adapt_variance.assign(np.square(STD))
    normalization.finalize_state()
    randomise(model, seed=0)
    logits: Any = model(np.load(folder / "pixels.npy").astype(np.float32), training=False)
    np.save(folder / "logits.npy", np.asarray(logits))
    model.save_weights(folder / "k.weights.h5")
    for name in ("k.keras", "k.h5"):
        model.save(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
