"""A peer from Keras applications, in a process of its own: it needs Keras, TensorFlow and numpy, no torch, no triscale.

Run as `python -m benchmarks.parity.keras_peer JOB`: JOB is a folder with a `plan.json`; the answers are put beside it.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.parity import pictures

Array = np.ndarray[Any, Any]
Layer = Any
Model = Any

V1_RANGE = 1 / float(np.float32(1 / 255))
"""The first version's models divide by it: Keras rounds a rescaling to float32 in models of float64 too. They also hold
a normalisation, which without weights does nothing."""


def create(name: str, size: tuple[int, int], dtype: str) -> Model:
    """A model without pretrained weights, dropout and stochastic depth, which returns logits."""
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    options = {"include_preprocessing": False} if "V2" in name else {}
    made = getattr(keras.applications, name)(
        weights=None, input_shape=(*size, 3), classifier_activation=None, **options
    )
    for layer in made.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    return made


def randomise(model: Model, seed: int) -> None:
    """Scales, shifts and biases away from 1 and 0, moving statistics of a real batch: a swapped one shows.

    The last bias centres the logits, so that different pictures get different answers.
    """
    rng = np.random.default_rng(seed)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for norm in norms:
        norm.gamma.assign(rng.uniform(0.5, 1.5, norm.gamma.shape))
        norm.beta.assign(rng.normal(0, 0.2, norm.beta.shape))
    for layer in model.layers:
        if getattr(layer, "bias", None) is not None:
            layer.bias.assign(rng.normal(0, 0.2, layer.bias.shape))
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(_shown(model, pictures.calibrating()), training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    classifier = model.layers[-1]
    classifier.bias.assign_sub(evaluate(model, pictures.calibrating()).mean(0))


def _shown(model: Model, array: Array) -> Array:
    """Pictures [n, 3, h, w] as the model wants them: channels last, in its range and type."""
    scale = V1_RANGE if any(isinstance(layer, keras.layers.Rescaling) for layer in model.layers) else 1.0
    return array.transpose(0, 2, 3, 1).astype(model.dtype_policy.compute_dtype) * scale


def counted(model: Model) -> dict[str, object]:
    """Trainable params, multiply-adds of convolutions and linear layers, and their output shapes, channels first."""
    shapes: list[list[int]] = []
    macs = 0
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            *size, channels = layer.output.shape[1:]
            shapes.append([channels, *(size or (1, 1))])
            macs += int(np.prod(kernel.shape)) * int(np.prod(size, dtype=np.int64))
    params = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    return {"params": params, "macs": macs, "shapes": shapes}


def evaluate(model: Model, array: Array) -> Array:
    """Logits [n, classes] in inference mode."""
    return np.asarray(model(_shown(model, array), training=False))


def step(model: Model, array: Array, labels: Array) -> tuple[Array, dict[str, Array], dict[str, Array]]:
    """Logits in training mode, the gradient of each tensor, the moving means after it."""
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        logits = model(_shown(model, array), training=True)
        loss = loss_of(labels, logits)
    variables = model.trainable_variables
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    found = {variable.path: np.asarray(one) for variable, one in zip(variables, gradients, strict=True)}
    return np.asarray(logits), found, _arrays(model, means=True)


def _arrays(model: Model, *, means: bool = False) -> dict[str, Array]:
    """Every tensor by its name, or the moving means alone; the normalisation of pictures is not of the network."""
    found = {variable.path: np.asarray(variable) for variable in model.weights}
    return {
        name: array
        for name, array in found.items()
        if not name.startswith("normalization/") and (name.endswith("/moving_mean") or not means)
    }


def _save(path: Path, arrays: Mapping[str, Array]) -> None:
    renamed: dict[str, Any] = {name.replace("/", "|"): array for name, array in arrays.items()}
    np.savez(path, **renamed)


def main(job: Path) -> None:
    """Do what the plan says."""
    plan = json.loads((job / "plan.json").read_text(encoding="utf-8"))
    name, sizes = plan["model"], {tuple(size): count for size, count in plan["sizes"]}
    keras.utils.set_random_seed(plan["seed"])
    first = create(name, pictures.calibrating().shape[2:], "float32")
    randomise(first, plan["seed"])
    values = first.get_weights()
    logits = []
    for size, shown in zip(sizes, pictures.evaluated(sizes), strict=True):
        model = create(name, size, plan["evaluated"])
        model.set_weights(values)
        logits.append(evaluate(model, shown))
    size, count = plan["trained"]
    model = create(name, tuple(size), "float64")
    model.set_weights(values)
    shown, labels = pictures.trained(logits[0].shape[1], (tuple(size), count))
    trained, gradients, statistics = step(model, shown, labels)
    _save(job / "weights.npz", _arrays(first))
    _save(job / "gradients.npz", gradients)
    _save(job / "statistics.npz", statistics)
    _save(job / "logits.npz", {"step": trained, **{str(i): part for i, part in enumerate(logits)}})
    told = {"counted": counted(create(name, tuple(plan["native"]), "float32"))}
    (job / "told.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
