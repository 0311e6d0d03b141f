"""What training does to a photo: a function of the photo and of what is drawn for (seed, epoch, index), and no more.

So workers and machines may change without changing which pixels come when.
"""

from dataclasses import dataclass, field
from math import exp, log, sqrt
from typing import Literal

import numpy as np
import torch
from PIL import Image, ImageEnhance
from torch import Tensor

from triscale.data.decode.image import MAX_PIXELS, upright_rgb, upright_size
from triscale.data.decode.jpeg_part import part_decoder
from triscale.data.transforms.area_resize import Size
from triscale.data.transforms.auto_augment import autoaugment, randaugment
from triscale.data.transforms.eval_crop import fitted
from triscale.data.transforms.random_crop import RandomCrop, cut, cut_jpeg
from triscale.errors import UsageError
from triscale.spec import Preprocessing

PolicyName = Literal["none", "autoaugment", "randaugment"]

ERASED_AREA = (0.02, 1 / 3)
ERASED_RATIO = (0.3, 3.3)


@dataclass(frozen=True, kw_only=True)
class PhotoAugmentation:
    """What is done to training photos, in this order; by default the paper's crop and flip.

    Attributes:
        crop: the random crop; None: the centre, as in evaluation.
        flip: probability of mirroring left and right.
        policy: `autoaugment` (policy v0), `randaugment`, or none.
        layers: operations of RandAugment for each image (its N).
        magnitude: level of RandAugment (its M).
        jitter: brightness, contrast and saturation change by a factor of at most 1 +- this.
        erase: probability of random erasing (arXiv 1708.04896), by noise of the mean and std of normalisation.
    """

    crop: RandomCrop | None = field(default_factory=RandomCrop)
    flip: float = 0.5
    policy: PolicyName = "none"
    layers: int = 2
    magnitude: float = 9.0
    jitter: float = 0.0
    erase: float = 0.0

    def __post_init__(self) -> None:
        for name in ("flip", "erase", "jitter"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} is {getattr(self, name)}; give a number from 0 to 1.")
        if self.layers < 0 or self.magnitude < 0:
            raise UsageError(f"layers is {self.layers} and magnitude is {self.magnitude}; give 0 or more.")


def draws_for(seed: int, epoch: int, index: int) -> np.random.Generator:
    """The stream of random numbers that belongs to one image in one epoch; it depends on nothing else."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, epoch, index))))


def photo(
    image: Image.Image, size: Size, how: Preprocessing, augmentation: PhotoAugmentation, draws: np.random.Generator
) -> Tensor:
    """The pixels that training sees.

    Args:
        image: as `Part.opened` gives it; it is decoded here, and no more of it than is needed.
        size: `(height, width)` in pixels.
        how: interpolation counts, and mean and std for what is erased; the cut of evaluation where there is no crop.
        augmentation: what is done.
        draws: of this image in this epoch.

    Returns:
        uint8 `[*size, 3]`.
    """
    box = augmentation.crop.drawn(upright_size(image), draws) if augmentation.crop else None
    if box is not None:
        pixels = cut(image, box, size, how.interpolation)
    else:
        pixels = torch.from_numpy(fitted(upright_rgb(image), size, how))
    return _finished(pixels, how, augmentation, draws)


def jpeg_photo(
    data: bytes, size: Size, how: Preprocessing, augmentation: PhotoAugmentation, draws: np.random.Generator
) -> Tensor | None:
    """`photo` of the bytes of a JPEG, without Pillow; None if that cannot be: take `photo`, with the draws again."""
    decoder = part_decoder()
    whole = decoder.size(data) if decoder is not None else None
    if whole is None or augmentation.crop is None or whole[0] * whole[1] > MAX_PIXELS:
        return None
    box = augmentation.crop.drawn(whole, draws)
    pixels = None if box is None else cut_jpeg(data, whole, box, size, how.interpolation)
    return None if pixels is None else _finished(pixels, how, augmentation, draws)


def _finished(
    pixels: Tensor, how: Preprocessing, augmentation: PhotoAugmentation, draws: np.random.Generator
) -> Tensor:
    """What is done to a crop."""
    flip = draws.random() < augmentation.flip
    if augmentation.policy != "none" or augmentation.jitter:
        coloured = _coloured(Image.fromarray(pixels.numpy()), augmentation, draws)
        pixels = torch.from_numpy(np.array(coloured))
    if flip:
        pixels = pixels.flip(1)
    if augmentation.erase and draws.random() < augmentation.erase:
        pixels = _erased(pixels, how, draws)
    return pixels


def _coloured(picture: Image.Image, augmentation: PhotoAugmentation, draws: np.random.Generator) -> Image.Image:
    if augmentation.policy == "autoaugment":
        picture = autoaugment(picture, draws)
    elif augmentation.policy == "randaugment":
        picture = randaugment(picture, augmentation.layers, augmentation.magnitude, draws)
    if augmentation.jitter:
        factors = 1 + augmentation.jitter * draws.uniform(-1, 1, 3)
        for kind, factor in zip(
            (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color), factors.tolist(), strict=True
        ):
            picture = kind(picture).enhance(factor)
    return picture


def _erased(pixels: Tensor, how: Preprocessing, draws: np.random.Generator) -> Tensor:
    """A rectangle of noise; a rectangle that does not fit is drawn again, ten times at most."""
    height, width, _ = pixels.shape
    for area, ratio, down, across in draws.random((10, 4)).tolist():
        share = ERASED_AREA[0] + (ERASED_AREA[1] - ERASED_AREA[0]) * area
        form = exp(log(ERASED_RATIO[0]) + log(ERASED_RATIO[1] / ERASED_RATIO[0]) * ratio)
        high, wide = round(sqrt(share * height * width * form)), round(sqrt(share * height * width / form))
        if 0 < high < height and 0 < wide < width:
            top, left = int(down * (height - high + 1)), int(across * (width - wide + 1))
            noise = 255 * (np.array(how.mean) + np.array(how.std) * draws.standard_normal((high, wide, len(how.mean))))
            levels = torch.from_numpy(np.clip(np.rint(noise), 0, 255).astype(np.uint8))
            erased = pixels.clone()
            erased[top : top + high, left : left + wide] = levels
            return erased
    return pixels
