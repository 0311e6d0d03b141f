"""Batches of normalised tensors; what is drawn for an image depends on (seed, epoch, its index), at any resolution."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from triscale.data.transforms.area_resize import Pictures
from triscale.errors import InputError, UsageError
from triscale.spec import scale_and_offset

Indices = NDArray[np.int64]
Colour = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What is done to training images.

    Attributes:
        flip: mirror left and right, half of the time.
        shift: largest shift up, down, left and right as a fraction of the side; what enters mirrors the edge.
    """

    flip: bool = True
    shift: float = 0.125

    def __post_init__(self) -> None:
        if not 0 <= self.shift < 1:
            raise UsageError(f"The shift is {self.shift} of the side.\nGive a fraction from 0 to below 1.")


@dataclass(frozen=True, kw_only=True, eq=False)
class WholeBatches:
    """Epochs of whole batches.

    The last, partial batch is left out unless it is the only one: batch norm cannot learn from one image, and every
    epoch leaves out others.

    Attributes:
        indices: the images that are trained on.
        batch: images a step.
    """

    indices: Indices
    batch: int

    @property
    def steps(self) -> int:
        """Whole batches in an epoch."""
        return max(1, len(self.indices) // self.batch)

    @property
    def left_out(self) -> int:
        """Images that an epoch leaves out, others in each."""
        return max(0, len(self.indices) - self.steps * self.batch)


def train_batches(
    images: Pictures,
    labels: Indices,
    indices: Indices,
    *,
    batch: int,
    seed: int,
    epoch: int,
    augmentation: Augmentation,
    mean: Colour,
    std: Colour,
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of augmented batches.

    The order, the flips and the shifts (in fractions of the side) are the same for every resolution and batch size, so
    networks that are compared see the same images in the same order.

    Args:
        images: uint8 `[n, height, width, 3]`; may be mapped read-only.
        labels: int64 `[n]`.
        indices: the images of the epoch, in any order.
        batch: images in each batch; the last, partial batch is left out unless it is the only one.
        seed: not negative.
        epoch: from 0.
        augmentation: what is done to the images.
        mean: taken off each channel, as fractions of white.
        std: by which each channel is then divided.

    Yields:
        float32 `[batch, 3, height, width]` in channels-last memory, int64 `[batch]`.
    """
    draws = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, epoch)))).random((len(images), 4))
    order = indices[np.argsort(draws[indices, 0], kind="stable")]
    for start in range(0, max(len(order) - batch, 0) + 1, batch):
        chosen = order[start : start + batch]
        pixels = augmented(images, chosen, draws[chosen, 1:], augmentation)
        yield to_tensor(pixels, mean, std), torch.from_numpy(labels[chosen])


def eval_batches(
    images: Pictures, labels: Indices, indices: Indices, *, batch: int, mean: Colour, std: Colour
) -> Iterator[tuple[Tensor, Tensor]]:
    """All images of `indices` in that order, as they are; arguments and tensors as of `train_batches`."""
    for start in range(0, len(indices), batch):
        chosen = indices[start : start + batch]
        yield to_tensor(images[chosen], mean, std), torch.from_numpy(labels[chosen])


def moved(batches: Iterable[tuple[Tensor, Tensor]], device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches on a device; a CUDA GPU goes on computing while its next batch travels."""
    for pictures, labels in batches:
        beside = device.type == "cuda"
        yield pictures.to(device, non_blocking=beside), labels.to(device, non_blocking=beside)


def augmented(images: Pictures, chosen: Indices, draws: NDArray[np.float64], augmentation: Augmentation) -> Pictures:
    """The images `chosen`, flipped and shifted in a single gather.

    Args:
        images: `[n, height, width, 3]`.
        chosen: `[batch]`, positions in `images`.
        draws: `[batch, 3]` uniform in [0, 1): flip, shift down, shift to the right.
        augmentation: what they are turned into.
    """
    _, height, width, _ = images.shape
    rows = _shifted(draws[:, 1], height, augmentation.shift)
    columns = _shifted(draws[:, 2], width, augmentation.shift)
    if augmentation.flip:
        columns = np.where(draws[:, :1] < 0.5, columns[:, ::-1], columns)
    return np.asarray(images)[chosen[:, None, None], rows[:, :, None], columns[:, None, :]]


def _shifted(draws: NDArray[np.float64], side: int, shift: float) -> Indices:
    """`[batch, side]`: from which row (or column) each row comes; beyond the edge the image is mirrored."""
    offsets = np.rint((2 * draws - 1) * shift * side).astype(np.int64)
    place = np.arange(side) - offsets[:, None]
    mirrored = np.where(place < 0, -1 - place, place)
    return np.where(mirrored >= side, 2 * side - 1 - mirrored, mirrored)


def to_tensor(pixels: Pictures, mean: Colour, std: Colour) -> Tensor:
    """Normalised images: float32 `[n, channels, height, width]` in channels-last memory.

    Args:
        pixels: uint8 `[n, height, width, 3]`; turned grey if mean and std have one channel.
        mean: taken off each channel, as fractions of white.
        std: by which each channel is then divided.

    Raises:
        InputError: the network wants neither colours nor grey.
    """
    if len(mean) == 1:
        pixels = grey(pixels)
    n, height, width, channels = pixels.shape
    if len(mean) != channels:
        raise InputError(f"an image has {channels} channels, but the network takes {len(mean)}.")
    scale, offset = (np.tile(one, width).astype(np.float32) for one in scale_and_offset(mean, std))
    # Rows of interleaved channels: broadcasting along a last axis of 3 would be many times slower.
    values = pixels.reshape(n, height, width * channels) * scale
    values -= offset
    return torch.from_numpy(values.reshape(n, height, width, channels)).permute(0, 3, 1, 2)


def grey(pixels: Pictures) -> Pictures:
    """Luma of ITU-R 601, rounded as Pillow's mode L rounds it."""
    levels = pixels.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32)
    grey: Pictures = ((levels + 0x8000) >> 16).astype(np.uint8)[..., None]
    return grey
