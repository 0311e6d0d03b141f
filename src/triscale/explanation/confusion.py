"""The confusion of a classifier as an image: which classes it takes for which."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

NAMED = 60
"""Most classes that are named along the sides; beyond them their indices stand at ticks."""

_SIDE, _GAP, _TEXT, _TITLE = 960, 12, 15, 20
_INK, _PAPER, _GRID = (30, 30, 30), (255, 255, 255), (225, 225, 225)
_SHADES = np.array([[255, 255, 255], [158, 202, 225], [33, 113, 181], [8, 48, 107]], np.float64)
_LONGEST = 28
_LATIN = 0x250
"""Pillow's own font draws the letters below this code point."""


def confusion_picture(confusion: NDArray[np.int64], classes: Sequence[str], title: str = "") -> Image.Image:
    """A labelled image of a confusion matrix.

    Each row is a true class, each column what was predicted; the darker, the larger the part of the true class. With
    few classes every cell holds its count.

    Args:
        confusion: [k, k], counts.
        classes: k names.
        title: a line above.
    """
    k = len(classes)
    cell = max(1, min(_SIDE // k, 72))
    labels = _labels(classes)
    left, top = _margins(labels)
    bottom = top + k * cell
    width = max(left + k * cell + 110, 2 * _GAP + int(_font(_TITLE).getlength(title)))
    picture = Image.new("RGB", (width, bottom + 3 * _GAP), _PAPER)
    picture.paste(_cells(confusion, cell), (left, top))
    draw = ImageDraw.Draw(picture)
    draw.text((_GAP, _GAP), title, _INK, _font(_TITLE))
    draw.text((left, _GAP + 30), "predicted class", _INK, _font(_TEXT + 1))
    _upright(picture, "true class", (_GAP, bottom), _font(_TEXT + 1))
    for index, label in labels.items():
        middle = index * cell + cell / 2
        draw.text((left - 8, top + middle), label, _INK, _font(_TEXT), anchor="rm")
        _upright(picture, label, (int(left + middle - _TEXT / 2 - 1), top - 6), _font(_TEXT))
    if cell >= 22:
        _grid(draw, k, cell, (left, top))
        _counts(draw, confusion, cell, (left, top))
    draw.rectangle((left - 1, top - 1, left + k * cell, bottom), outline=_INK)
    _scale(draw, (left + k * cell + 24, top), min(k * cell, 240))
    return picture


def _labels(classes: Sequence[str]) -> dict[int, str]:
    """What stands at which position: every name, or some indices."""
    if len(classes) > NAMED:
        tens = 10 ** (len(str(len(classes))) - 2)
        step = next(step for step in (tens, 2 * tens, 5 * tens, 10 * tens) if len(classes) <= 12 * step)
        return {index: str(index) for index in range(0, len(classes), step)}
    return {index: _shown(name, index) for index, name in enumerate(classes)}


def _shown(name: str, index: int) -> str:
    if not name.isprintable() or any(ord(letter) >= _LATIN for letter in name):
        return f"class {index}"
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}\u2026"


def _margins(labels: dict[int, str]) -> tuple[int, int]:
    widest = max(int(_font(_TEXT).getlength(label)) for label in labels.values())
    return 3 * _GAP + _TEXT + widest, 5 * _GAP + _TITLE + widest


def _cells(confusion: NDArray[np.int64], cell: int) -> Image.Image:
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    shades = Image.fromarray(_shade(shares))
    return shades.resize((shades.width * cell, shades.height * cell), Image.Resampling.NEAREST)


def _shade(shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Colours `[..., 3]` of parts from 0 to 1; the root makes a few mistakes visible beside many hits."""
    place = np.sqrt(shares) * (len(_SHADES) - 1)
    colours = [np.interp(place, np.arange(len(_SHADES)), channel) for channel in _SHADES.T]
    return np.stack(colours, axis=-1).astype(np.uint8)


def _grid(draw: ImageDraw.ImageDraw, k: int, cell: int, corner: tuple[int, int]) -> None:
    left, top = corner
    for step in range(1, k):
        draw.line((left + step * cell, top, left + step * cell, top + k * cell - 1), _GRID)
        draw.line((left, top + step * cell, left + k * cell - 1, top + step * cell), _GRID)


def _counts(draw: ImageDraw.ImageDraw, confusion: NDArray[np.int64], cell: int, corner: tuple[int, int]) -> None:
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    for row, column in np.argwhere(confusion > 0).tolist():
        text = str(confusion[row, column])
        size = min(_TEXT, int(1.6 * cell / len(text)))
        ink = _PAPER if shares[row, column] > 0.25 else _INK
        place = corner[0] + (column + 0.5) * cell, corner[1] + (row + 0.5) * cell
        draw.text(place, text, ink, _font(size), anchor="mm")


def _scale(draw: ImageDraw.ImageDraw, corner: tuple[int, int], height: int) -> None:
    """The colours and what part of the true class each means."""
    left, top = corner
    shades = _shade(np.linspace(1, 0, height)[:, None])[:, 0].tolist()
    for row, shade in enumerate(shades):
        draw.line((left, top + row, left + 14, top + row), tuple(shade))
    draw.rectangle((left, top, left + 14, top + height), outline=_INK)
    for share in (1.0, 0.5, 0.25, 0.1, 0.0):
        if height >= 150 or share in (1.0, 0.0):
            draw.text((left + 20, top + (1 - share) * height), f"{share:.0%}", _INK, _font(_TEXT - 2), anchor="lm")


def _upright(picture: Image.Image, text: str, foot: tuple[int, int], font: ImageFont.FreeTypeFont) -> None:
    """Text that runs upwards from `foot`, its lower left corner."""
    width, height = int(font.getlength(text)) + 2, int(font.size * 1.35)
    line = Image.new("RGB", (width, height), _PAPER)
    ImageDraw.Draw(line).text((0, 0), text, _INK, font)
    picture.paste(line.transpose(Image.Transpose.ROTATE_90), (foot[0], foot[1] - width))


def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # noqa: S101  Pillow's wheels draw text with FreeType
    return font
