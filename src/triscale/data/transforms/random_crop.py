"""The random crop of the paper's training, and from a file to the pixels of a crop with little work.

The crop is that of TensorFlow's `sample_distorted_bounding_box`, which the authors call with the figures below: the
ratio is drawn evenly, then the height evenly among those that keep the area, so that large crops are commoner than in
torchvision's `RandomResizedCrop`, which draws the area evenly.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import BinaryIO, cast

import numpy as np
import torch
from PIL import Image
from PIL.ImageFile import ImageFile
from torch import Tensor
from torch.nn import functional as F

from triscale.data.decode.image import JPEGS, loaded, orientation, reading, upright_rgb, upright_size
from triscale.data.decode.jpeg_part import Box, part_decoder
from triscale.data.transforms.area_resize import Pictures, Size
from triscale.spec import Interpolation

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "lanczos": Image.Resampling.LANCZOS,
    # Pillow's nearest to averages over areas that does not snap to whole pixels.
    "area": Image.Resampling.HAMMING,
}


@dataclass(frozen=True, kw_only=True)
class RandomCrop:
    """Figures of the random crop; by default the paper's (its preprocessing.py).

    Attributes:
        area: least and largest part of the image.
        ratio: least and largest width over height.
        cover: least part of the image, over and above `area`.
        tries: draws after which the centre is taken instead.
    """

    area: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    cover: float = 0.1
    tries: int = 10

    def drawn(self, size: Size, draws: np.random.Generator) -> Box | None:
        """A crop of an image of `size` (height, width); None if none was found: take the centre."""
        chances = draws.random((self.tries, 4))
        for ratio, height, down, across in chances:
            found = self._sized(size, self.ratio[0] + (self.ratio[1] - self.ratio[0]) * ratio, height)
            if found is not None:
                high, wide = found
                top, left = int(down * (size[0] - high + 1)), int(across * (size[1] - wide + 1))
                return left, top, left + wide, top + high
        return None

    def _sized(self, size: Size, ratio: float, chance: float) -> Size | None:
        """Height and width at a ratio, the height drawn evenly; None if they break a limit."""
        whole = size[0] * size[1]
        least, most = (share * whole for share in self.area)
        low, high = round(sqrt(least / ratio)), round(sqrt(most / ratio))
        high = min(high, size[0], int((size[1] + 0.4999) / ratio))
        low = min(low, high)
        height = low + int(chance * (high - low + 1))
        # What rounding lost or added is given back before the crop is judged.
        height += (round(height * ratio) * height < least) - (round(height * ratio) * height > most)
        width = round(height * ratio)
        fits = 0 < width <= size[1] and 0 < height <= size[0]
        return (height, width) if fits and max(least, self.cover * whole) <= width * height <= most else None


def cut(image: Image.Image, box: Box, size: Size, interpolation: Interpolation) -> Tensor:
    """The part `box` of an image at another size.

    A JPEG is decoded at a half, a quarter or an eighth where the part still has all the pixels that are wanted; then
    the box is moved to whole pixels of that. Bilinear and bicubic come from torch, which averages as Pillow does where
    it shrinks (a level apart at most) in much less time.

    Args:
        image: as `opened` gives it: the header is read, the pixels are not yet.
        box: in the upright image, whose size `upright_size` tells.
        size: `(height, width)` of the result.
        interpolation: the filter.

    Returns:
        uint8 `[*size, 3]`, RGB.

    Raises:
        UnreadableError: the pixels cannot be read.
        ValueError: the box leaves the image, which is a fault of the caller.
    """
    high, wide = upright_size(image)
    if not (0 <= box[0] < box[2] <= wide and 0 <= box[1] < box[3] <= high):
        raise ValueError(f"the crop {box} leaves the upright image of {wide}x{high} px")
    times = draft_of(image, box, size)
    box = reduced(box, times) if times > 1 else box
    if interpolation in {"bilinear", "bicubic"}:
        return _averaged(torch.from_numpy(_part(image, box, times)), size, interpolation)
    whole = Image.fromarray(_decoded(image, times))
    return torch.from_numpy(np.array(whole.resize((size[1], size[0]), FILTERS[interpolation], box=box)))


def cut_jpeg(data: bytes, whole: Size, box: Box, size: Size, interpolation: Interpolation) -> Tensor | None:
    """`cut` of the bytes of a JPEG whose `(height, width)` `PartDecoder.size` has told; None: take `cut`."""
    decode = part_decoder()
    if decode is None or interpolation not in {"bilinear", "bicubic"}:
        return None
    times = _times(box, size)
    pixels = decode(data, whole, times, reduced(box, times) if times > 1 else box)
    return None if pixels is None else _averaged(torch.from_numpy(pixels), size, interpolation)


def _part(image: Image.Image, box: Box, times: int) -> Pictures:
    """The part `box` of the image, upright, so many times smaller."""
    if image.format in JPEGS and _plain(image) and (decode := part_decoder()) is not None:
        pixels = decode(_content(image), (image.height, image.width), times, box)
        if pixels is not None:
            return pixels
    left, top, right, bottom = box
    return _decoded(image, times)[top:bottom, left:right]


def _content(image: Image.Image) -> bytes:
    file = cast("BinaryIO", cast("ImageFile", image).fp)
    with reading():
        file.seek(0)
        return file.read()


def _decoded(image: Image.Image, times: int) -> Pictures:
    """The whole image, upright, so many times smaller: `[height, width, 3]`."""
    if image.format in JPEGS and _plain(image) and (decode := _fast_decoder()) is not None:
        high, wide = -(-image.height // times), -(-image.width // times)
        with suppress(ValueError):  # a warning, or an error: Pillow knows which
            pixels = decode(_content(image), "RGB", min_height=high, min_width=wide)
            if pixels.shape == (high, wide, 3):
                return pixels
    if times > 1:
        image.draft("RGB", (image.width // times, image.height // times))
    return np.array(loaded(image) if _plain(image) else upright_rgb(image))


@lru_cache(maxsize=1)
def _fast_decoder() -> Callable[..., Pictures] | None:
    """simplejpeg's, if the extra `fast` is installed: the pixels of Pillow, in an array at once."""
    try:
        from simplejpeg import decode_jpeg  # noqa: PLC0415  an extra
    except ImportError:
        return None
    return cast("Callable[..., Pictures]", decode_jpeg)


def _averaged(pixels: Tensor, size: Size, interpolation: Interpolation) -> Tensor:
    if pixels.shape[:2] == size:
        return pixels
    planes = pixels[None].permute(0, 3, 1, 2)  # in this order torch knows it for channels-last and keeps it so
    resized = F.interpolate(planes, size, mode=interpolation, antialias=True, align_corners=False)
    return resized.permute(0, 2, 3, 1)[0]


def draft_of(image: Image.Image, box: Box, size: Size) -> int:
    """How many times smaller an image may be decoded: 1, or for a JPEG also 2, 4 or 8."""
    return _times(box, size) if image.format in JPEGS and _plain(image) else 1


def _times(box: Box, size: Size) -> int:
    shrink = min((box[2] - box[0]) / size[1], (box[3] - box[1]) / size[0])
    return next((times for times in (8, 4, 2) if shrink >= times), 1)


def reduced(box: Box, times: int) -> Box:
    """The box in the whole pixels of an image that is so many times smaller."""
    left, top, right, bottom = (round(edge / times) for edge in box)
    return left, top, right, bottom


def _plain(image: Image.Image) -> bool:
    return image.mode == "RGB" and image.format in {*JPEGS, None} and orientation(image) == 1
