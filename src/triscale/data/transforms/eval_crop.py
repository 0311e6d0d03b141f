"""From an image of any shape to pixels of one size: the cut and the resizing that a `Preprocessing` names.

`area` is the way of a study. The other filters give the pixels of torchvision's `Resize` and `CenterCrop` and of timm's
evaluation transform, because weights from there were trained with them.
"""

from math import ceil

import numpy as np
from PIL import Image

from triscale.data.transforms.area_resize import Pictures, Size, resize
from triscale.spec import Preprocessing

STUDY = Preprocessing()
MOST_RESIZED = 50_000_000
"""Pixels of a resized image above which only the part that is kept is worked out."""

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def fitted(image: Image.Image, size: Size, how: Preprocessing) -> Pictures:
    """The pixels of one RGB image.

    Args:
        image: upright, mode RGB.
        size: `(height, width)` in pixels.
        how: fit, crop and interpolation count; mean and std do not.

    Returns:
        uint8 `[height, width, 3]`.
    """
    return _averaged(image, size, how) if how.interpolation == "area" else _filtered(image, size, how)


def fitted_block(pictures: Pictures, size: Size, how: Preprocessing) -> Pictures:
    """Images `[n, h, w, 3]` of one size at another; as in a study they are taken whole, not cut."""
    if how.exact_pixels:
        return resize(np.asarray(pictures), size)
    return np.stack([fitted(Image.fromarray(picture), size, how) for picture in np.ascontiguousarray(pictures)])


def _averaged(image: Image.Image, size: Size, how: Preprocessing) -> Pictures:
    """The cut first, then true area averages: for shrinking by any factor, no pixel counts twice."""
    steps = how.crop * image.height / size[0], how.crop * image.width / size[1]
    if how.fit == "centre":
        steps = (min(steps), min(steps))
    high, wide = steps[0] * size[0], steps[1] * size[1]
    left, top = int((image.width - wide) / 2), int((image.height - high) / 2)
    part = image.crop((left, top, left + ceil(wide - 1e-6), top + ceil(high - 1e-6)))
    # Whole blocks first: a large photo would make large matrices.
    down, across = (max(int(step // 4), 1) for step in steps)
    picture: Pictures = resize(np.asarray(part.reduce((across, down)))[None], size, (high / down, wide / across))[0]
    return picture


def _filtered(image: Image.Image, size: Size, how: Preprocessing) -> Pictures:
    """Resized by one of Pillow's filters, then the centre."""
    high, wide = _resized(image, size, how)
    top, left = round((high - size[0]) / 2), round((wide - size[1]) / 2)
    by = _FILTERS[how.interpolation]
    if high * wide <= MOST_RESIZED:
        whole = image if image.size == (wide, high) else image.resize((wide, high), by)
        return np.array(whole.crop((left, top, left + size[1], top + size[0])))
    across, down = image.width / wide, image.height / high
    box = left * across, top * down, (left + size[1]) * across, (top + size[0]) * down
    return np.array(image.resize((size[1], size[0]), by, box=box))


def _resized(image: Image.Image, size: Size, how: Preprocessing) -> Size:
    """To which (height, width) the whole image is resized; the roundings are those of torchvision and timm."""
    target = how.before_crop(size)
    if how.fit == "squash":
        return target
    if target[0] != target[1]:  # timm's ResizeKeepRatio
        ratio = min(image.height / target[0], image.width / target[1])
        return max(round(image.height / ratio), size[0]), max(round(image.width / ratio), size[1])
    if image.height <= image.width:  # torchvision's Resize of the shorter side
        return target[0], int(target[0] * image.width / image.height)
    return int(target[0] * image.height / image.width), target[0]
