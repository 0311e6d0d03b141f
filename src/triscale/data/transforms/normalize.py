"""From pixels to what a network takes, one image at a time while it is still in the cache of the processor."""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from triscale.data.feed.in_memory import grey
from triscale.errors import InputError
from triscale.spec import Preprocessing, scale_and_offset


def normalised(pixels: Tensor, how: Preprocessing, out: Tensor) -> None:
    """Write `pixels` uint8 `[height, width, 3]`, normalised, into `out` float32 `[height, width, channels]`.

    The values are those of `to_tensor`. With one mean and std the image is turned grey.

    Raises:
        InputError: the network wants neither colours nor grey.
    """
    if len(how.mean) == 1:
        pixels = torch.from_numpy(grey(pixels.numpy()))
    height, width, channels = pixels.shape
    if len(how.mean) != channels:
        raise InputError(f"an image has {channels} channels, but the network takes {len(how.mean)}.")
    scale, offset = _rows(how.mean, how.std, width)
    # Rows of interleaved channels: broadcasting along a last axis of 3 would be many times slower.
    rows = out.view(height, width * channels)
    rows.copy_(pixels.reshape(height, width * channels))
    rows.mul_(scale).sub_(offset)


@lru_cache(maxsize=8)
def _rows(mean: tuple[float, ...], std: tuple[float, ...], width: int) -> tuple[Tensor, Tensor]:
    pair = scale_and_offset(mean, std)
    return tuple(torch.from_numpy(np.tile(one, width).astype(np.float32)) for one in pair)  # type: ignore[return-value]
