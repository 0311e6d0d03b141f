"""The operations of AutoAugment and RandAugment on Pillow images, by name, at a level.

Levels mean what the authors' autoaugment.py makes of them (10 is a full step, RandAugment goes beyond); distances,
there in pixels of their largest image, are fractions of the side here, so that a policy means the same at any
resolution. What enters from outside is grey.
"""

from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

GREY = (128, 128, 128)
FULL = 10.0
TRANSLATE = 1 / 6
"""Part of the side at level 10: the authors' 100 px of 600."""
CUTOUT = 1 / 15
"""Half the side of the square at level 10, as a part of the image's: the authors' 40 px of 600."""

Draws = np.random.Generator
Op = Callable[[Image.Image, float, Draws], Image.Image]
"""Image RGB, level over 10, and what is drawn for signs and places."""

_HALF = np.arange(256)


def _sign(draws: Draws) -> int:
    return 1 if draws.random() < 0.5 else -1


def _affine(image: Image.Image, matrix: tuple[float, ...]) -> Image.Image:
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST, fillcolor=GREY)


def _shear_x(image: Image.Image, level: float, draws: Draws) -> Image.Image:
    return _affine(image, (1, 0.3 * level * _sign(draws), 0, 0, 1, 0))


def _shear_y(image: Image.Image, level: float, draws: Draws) -> Image.Image:
    return _affine(image, (1, 0, 0, 0.3 * level * _sign(draws), 1, 0))


def _translate_x(image: Image.Image, level: float, draws: Draws) -> Image.Image:
    return _affine(image, (1, 0, round(TRANSLATE * level * image.width) * _sign(draws), 0, 1, 0))


def _translate_y(image: Image.Image, level: float, draws: Draws) -> Image.Image:
    return _affine(image, (1, 0, 0, 0, 1, round(TRANSLATE * level * image.height) * _sign(draws)))


def _rotate(image: Image.Image, level: float, draws: Draws) -> Image.Image:
    return image.rotate(30 * level * _sign(draws), Image.Resampling.NEAREST, fillcolor=GREY)


def _posterize(image: Image.Image, level: float, draws: Draws) -> Image.Image:
    del draws
    bits = min(int(4 * level), 8)
    return ImageOps.posterize(image, bits) if bits else Image.new("RGB", image.size)


def _solarize(image: Image.Image, level: float, draws: Draws) -> Image.Image:
    del draws
    return ImageOps.solarize(image, min(int(256 * level), 256))


def _solarize_add(image: Image.Image, level: float, draws: Draws) -> Image.Image:
    """Brighten what is darker than the middle."""
    del draws
    table = np.where(_HALF < 128, np.minimum(_HALF + int(110 * level), 255), _HALF)
    return image.point([*table.tolist()] * 3)


def _cutout(image: Image.Image, level: float, draws: Draws) -> Image.Image:
    """A grey square whose centre lies anywhere, so that part of it may lie outside."""
    reach = CUTOUT * level
    across, down = draws.random(2) * image.size
    wide, high = reach * image.width, reach * image.height
    image = image.copy()
    image.paste(GREY, tuple(round(edge) for edge in (across - wide, down - high, across + wide, down + high)))
    return image


def _enhance(kind: type[ImageEnhance.Color]) -> Op:
    return lambda image, level, _: kind(image).enhance(1.8 * level + 0.1)


OPS: Mapping[str, Op] = {
    "AutoContrast": lambda image, *_: ImageOps.autocontrast(image),
    "Equalize": lambda image, *_: ImageOps.equalize(image),
    "Invert": lambda image, *_: ImageOps.invert(image),
    "Rotate": _rotate,
    "Posterize": _posterize,
    "Solarize": _solarize,
    "SolarizeAdd": _solarize_add,
    "Color": _enhance(ImageEnhance.Color),
    "Contrast": _enhance(ImageEnhance.Contrast),  # type: ignore[arg-type]
    "Brightness": _enhance(ImageEnhance.Brightness),  # type: ignore[arg-type]
    "Sharpness": _enhance(ImageEnhance.Sharpness),  # type: ignore[arg-type]
    "ShearX": _shear_x,
    "ShearY": _shear_y,
    "TranslateX": _translate_x,
    "TranslateY": _translate_y,
    "Cutout": _cutout,
}
