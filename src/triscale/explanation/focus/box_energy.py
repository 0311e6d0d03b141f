"""The part of a map's energy that lies inside a box around the object (the energy-based pointing game of Score-CAM).

Wang et al., CVPR workshops 2020, arXiv 1910.01279, section 4.3: the sum of the map inside the box over its whole sum.
What speaks against the class counts as 0. A box goes through the very preprocessing of its image, so that it covers
what the network saw of it.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from triscale.data.transforms.eval_crop import fitted
from triscale.errors import InputError
from triscale.spec import Preprocessing, Size

_FIELDS = ("image", "left", "top", "right", "bottom")


class Box(NamedTuple):
    """Sides in pixels of the upright original, from its upper left corner; right and bottom are outside."""

    left: float
    top: float
    right: float
    bottom: float


Boxes = Mapping[str, tuple[Box, ...]]
"""The boxes of each image, by the name of its file."""


def read_boxes(path: Path) -> Boxes:
    """Boxes from a CSV file with the columns image, left, top, right and bottom; an image may have several lines.

    Raises:
        InputError: it cannot be read, lacks a column, or holds a box that is none; the message names the line.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            missing = [name for name in _FIELDS if name not in (rows.fieldnames or ())]
            if missing:
                raise InputError(f"{path} has no column {missing[0]}: its first line must name {', '.join(_FIELDS)}.")
            found: dict[str, list[Box]] = {}
            for row in rows:
                found.setdefault(Path(row["image"] or "").name, []).append(_box(row, f"{path}, line {rows.line_num}"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read the boxes in {path}: {getattr(error, 'strerror', None) or error}.") from None
    return {name: tuple(boxes) for name, boxes in found.items()}


def _box(row: Mapping[str, str | None], where: str) -> Box:
    try:
        box = Box(*(float(row[name] or "") for name in _FIELDS[1:]))
    except ValueError:
        raise InputError(f"{where}: a side of the box is not a number; give pixels such as 12.") from None
    if not (0 <= box.left < box.right and 0 <= box.top < box.bottom):
        raise InputError(f"{where}: the box is empty; left must be below right, and top below bottom.")
    return box


def box_mask(boxes: tuple[Box, ...], original: Size, size: Size, how: Preprocessing) -> NDArray[np.float32]:
    """What of each pixel that the network sees lies inside a box: [h, w] from 0 to 1.

    Args:
        boxes: of the image.
        original: (height, width) of the upright image, in pixels.
        size: of what the network sees.
        how: the preprocessing of the image.
    """
    drawn = Image.new("RGB", (original[1], original[0]))
    draw = ImageDraw.Draw(drawn)
    for box in boxes:
        draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), fill=(255, 255, 255))
    return fitted(drawn, size, how)[..., 0].astype(np.float32) / np.float32(255)


def energy_inside(saliency: Tensor, mask: NDArray[np.float32]) -> float | None:
    """The part of what is above 0 in a map [h, w] that lies inside the mask [h, w]; None where nothing is above 0."""
    positive = saliency.double().clamp(min=0)
    whole = float(positive.sum())
    return float((positive * torch.from_numpy(mask).double()).sum()) / whole if whole > 0 else None
