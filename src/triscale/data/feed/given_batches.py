"""Batches that a user brings, such as those of a DataLoader: checked before anything is computed from them."""

from typing import Any

from torch import Tensor

from triscale.errors import InputError

_WANTED = "give batches of (tensor [n, c, h, w], labels [n])."


def as_batch(batch: Any, number: int) -> tuple[Tensor, Tensor]:
    """The tensor and the labels of a batch, which is the `number`th.

    Raises:
        InputError: it is not a pair of tensors of one length, or its labels are not whole numbers; with what to do.
    """
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        got = f"a {type(batch).__name__}" + (f" of {len(batch)}" if isinstance(batch, tuple | list | dict) else "")
        raise InputError(f"batch {number} is {got}: {_WANTED}")
    pictures, labels = batch
    if not isinstance(pictures, Tensor) or not isinstance(labels, Tensor):
        kinds = f"{type(pictures).__name__} and {type(labels).__name__}"
        raise InputError(
            f"batch {number} holds {kinds}: {_WANTED}\n"
            "Of a data set of torch: DataLoader(dataset, batch_size=32); of PIL images: with transform=model.transform."
        )
    if labels.ndim != 1 or len(labels) != len(pictures):
        hint = " Of one-hot labels: labels.argmax(1)." if labels.ndim == 2 else ""
        raise InputError(
            f"batch {number} has a tensor {list(pictures.shape)} and labels {list(labels.shape)}: {_WANTED}{hint}"
        )
    if not len(labels):
        raise InputError(f"batch {number} is empty: {_WANTED}")
    if labels.is_floating_point() or labels.is_complex():
        raise InputError(f"the labels of batch {number} are {labels.dtype}: give whole numbers, labels.long().")
    return pictures, labels
