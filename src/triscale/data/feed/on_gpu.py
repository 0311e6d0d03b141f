"""Batches of small data sets that are made on the GPU: the same pixels as those of the CPU, bit for bit.

A GPU trains a small network faster than one core of the CPU makes its batches, and several trainings share the cores.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from triscale.data.feed.in_memory import Augmentation, Colour, Indices, grey
from triscale.data.transforms.area_resize import Pictures

MOST_BYTES = 1 << 29
"""Of images that are kept on a GPU; larger sets are sent batch by batch."""
_PART = 1 / 16
"""Of the free memory of the GPU: several trainings share it, and networks need it more."""
_CHUNK = 4096


def fits_on(device: torch.device, *images: Pictures) -> bool:
    """Whether images may be kept on a device: it is a CUDA GPU, and they take a small part of its free memory."""
    if device.type != "cuda":
        return False
    return sum(one.nbytes for one in images) <= min(MOST_BYTES, _PART * torch.cuda.mem_get_info(device)[0])


class Batches(NamedTuple):
    """The images of an epoch in their order, and from where each row and column comes; all on the device."""

    chosen: Tensor
    rows: Tensor
    columns: Tensor


@dataclass(frozen=True, eq=False)
class ImagesOnGpu:
    """Images and labels of a data set on a device.

    Attributes:
        pixels: uint8 [n, height, width, channels].
        labels: int64 [n].
        scale, offset: float32 [channels]; a normalised value is `pixel * scale - offset`.
    """

    pixels: Tensor
    labels: Tensor
    scale: Tensor
    offset: Tensor

    @classmethod
    def of(cls, images: Pictures, labels: Indices, mean: Colour, std: Colour, device: torch.device) -> "ImagesOnGpu":
        """Copy a data set to a device; arguments as of `train_batches`."""
        n, height, width, _ = images.shape
        pixels = torch.empty((n, height, width, len(mean)), dtype=torch.uint8, device=device)
        for start in range(0, n, _CHUNK):
            block = np.array(images[start : start + _CHUNK])  # a copy: torch warns of images that are mapped read-only
            pixels[start : start + _CHUNK] = torch.from_numpy(grey(block) if len(mean) == 1 else block).to(device)
        scale = (1 / (255 * np.array(std))).astype(np.float32)
        offset = (np.array(mean) / np.array(std)).astype(np.float32)
        held = torch.from_numpy(np.array(labels, dtype=np.int64))
        return cls(pixels, held.to(device), torch.from_numpy(scale).to(device), torch.from_numpy(offset).to(device))

    def epoch(self, order: Indices, draws: NDArray[np.float64], augmentation: Augmentation) -> Batches:
        """What is drawn for the images of an epoch, at once; see `in_memory.augmented`.

        Args:
            order: [m], positions of images.
            draws: [m, 3], of each of them.
            augmentation: what they are turned into.
        """
        _, height, width, _ = self.pixels.shape
        drawn = torch.from_numpy(draws).to(self.pixels.device)
        rows = _shifted(drawn[:, 1], height, augmentation.shift)
        columns = _shifted(drawn[:, 2], width, augmentation.shift)
        if augmentation.flip:
            columns = torch.where(drawn[:, :1] < 0.5, columns.flip(1), columns)
        return Batches(torch.from_numpy(order).to(self.pixels.device), rows, columns)

    def augmented(self, batches: Batches, places: slice) -> tuple[Tensor, Tensor]:
        """The batch of these places of an epoch: float32 [n, c, height, width] in channels-last memory, int64 [n]."""
        chosen, rows, columns = (one[places] for one in batches)
        pixels = self.pixels[chosen[:, None, None], rows[:, :, None], columns[:, None, :]]
        return self._normalised(pixels), self.labels[chosen]

    def plain(self, chosen: Indices) -> tuple[Tensor, Tensor]:
        """These images as they are; tensors as of `augmented`."""
        places = torch.from_numpy(chosen).to(self.pixels.device)
        return self._normalised(self.pixels[places]), self.labels[places]

    def _normalised(self, pixels: Tensor) -> Tensor:
        """As `in_memory.to_tensor`: one rounding for the product, one for the difference."""
        return (pixels.float() * self.scale).sub_(self.offset).permute(0, 3, 1, 2)


def _shifted(draws: Tensor, side: int, shift: float) -> Tensor:
    """`in_memory._shifted`, [m] -> int64 [m, side]."""
    offsets = torch.round((2 * draws - 1) * shift * side).long()
    place = torch.arange(side, device=draws.device) - offsets[:, None]
    mirrored = torch.where(place < 0, -1 - place, place)
    return torch.where(mirrored >= side, 2 * side - 1 - mirrored, mirrored)
