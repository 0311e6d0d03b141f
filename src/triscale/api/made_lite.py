"""The Lite form of a trained network."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from triscale.api.counted import whole
from triscale.api.given import model_classifier
from triscale.api.option_types import typed
from triscale.api.training import remarks
from triscale.errors import UsageError
from triscale.recipes import Recipe, load_recipe

if TYPE_CHECKING:
    from torch import nn

    from triscale.lite_training import LiteResult
    from triscale.training import Callbacks
    from triscale.weights import Classifier


def lite(
    weights: "str | Path | nn.Module | Classifier",
    data: str | Path,
    *,
    out: str | Path,
    activation: str = "relu6",
    recipe: Recipe | str | Path = "transfer",
    epochs: int | None = None,
    batch: int | None = None,
    seed: int = 0,
    split: str | None = None,
    calibration: int = 256,
    device: str | None = None,
    threads: int | None = None,
    callbacks: "Callbacks | None" = None,
    network: str | None = None,
) -> "LiteResult":
    """Make a network's Lite form, fine-tune it by distillation from the network, and set both side by side.

    The Lite form has no squeeze-excite, ReLU6 or hard-swish, and the stem and head of the baseline; it begins with the
    weights of the network that fit. The same call resumes.

    Args:
        weights: see `predict`.
        data: a data set of the network's classes, see `triscale.data.open_data`.
        out: the folder of the training, a run like any other.
        activation: relu6 or hard_swish.
        recipe, epochs, batch: of the fine-tuning, see `TrainOptions`.
        seed: of all that is drawn.
        split: that judges; by default the images that neither network saw.
        calibration: training images that calibrate int8.
        device, threads: where the training computes.
        callbacks: what it calls while it runs; by default remarks go to the error stream.
        network: which network the weights of a path are of, see `predict`.

    Raises:
        UsageError: options that contradict each other, or a network without a Lite form.
        InputError, BusyError, NumericError, OutOfMemoryError, OutputError, StorageError: see `triscale.training.fit`.
    """
    given = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    wanted = replace(
        given,
        epochs=given.epochs if epochs is None else _least(1, "epochs", epochs),
        batch=given.batch if batch is None else _least(2, "batch", batch),
    )
    images = _least(1, "calibration", calibration)
    from triscale.lite_training import train_lite  # noqa: PLC0415  torch is loaded only here
    from triscale.training import numerics_here  # noqa: PLC0415
    from triscale.trials import Execution  # noqa: PLC0415

    with model_classifier(weights, (), None, "cannot be fine-tuned", network) as classifier:
        return train_lite(
            classifier, str(data), Path(typed("out", out)), recipe=wanted, activation=activation,
            seed=typed("seed", seed), calibration=images, split=split, numerics=numerics_here(device, threads),
            execution=Execution(), callbacks=callbacks or remarks(),
        )  # fmt: skip


def _least(least: int, name: str, value: int) -> int:
    if whole(name, value) < least:
        raise UsageError(f"{name} is {value}; give at least {least}.")
    return value
