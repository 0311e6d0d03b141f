"""Keras' side of the nested files of `test_keras_files`: `python -m tests.weights.keras_nested FOLDER`, on any backend.

Writes transfer learning as Keras' guides show it, in each of Keras' formats: a base without its top in a functional
model and in a Sequential, with a classifier of their own; and one behind a pooling that EfficientNet does not have.
"""

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np


def randomised(shape: tuple[int, ...]) -> Any:
    """A base whose norms, mean and std are not those of a fresh one."""
    rng = np.random.default_rng(0)
    base = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=shape)
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            for weight, low, high in ((layer.gamma, 0.8, 1.2), (layer.beta, -0.2, 0.2), (layer.moving_mean, -0.2, 0.2),
                                      (layer.moving_variance, 0.5, 1.5)):  # fmt: skip
                weight.assign(rng.uniform(low, high, weight.shape))
        if isinstance(layer, keras.layers.Normalization):
            layer.adapt_mean.assign((0.4, 0.5, 0.6))
            layer.adapt_variance.assign(np.square((0.3, 0.2, 0.25)))
            layer.finalize_state()
    return base


def main(folder: Path) -> None:
    """Write the files, and the logits of the images in `pixels.npy`."""
    pixels = np.load(folder / "pixels.npy").astype(np.float32)
    layers, shape = keras.layers, pixels.shape[1:]
    base, inputs, top = randomised(shape), keras.Input(shape), layers.Dense(5, name="out")
    functional = keras.Model(inputs, top(layers.GlobalAveragePooling2D()(base(inputs, training=False))))
    sequential = keras.Sequential(
        [keras.Input(shape), layers.RandomFlip(), base, layers.GlobalAveragePooling2D(), layers.Dropout(0.2), top]
    )
    np.save(folder / "logits.npy", keras.ops.convert_to_numpy(functional(pixels, training=False)))
    for name, model in (("functional", functional), ("sequential", sequential)):
        model.save_weights(folder / f"{name}.weights.h5")
        for suffix in ("keras", "h5"):
            model.save(folder / f"{name}.{suffix}")
    keras.Model(inputs, top(layers.GlobalMaxPooling2D()(base(inputs)))).save(folder / "maximum.keras")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
