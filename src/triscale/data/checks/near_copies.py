"""Near copies: images that are one image resized, re-encoded or a little brightened.

Each image has a look: the signs of its lowest 8x8 and 16x16 frequencies (DCT-II, against their median; the usual
"perceptual hash", Zauner 2010, section 3.2) and the colours of its four quarters. Two looks are near where few signs
differ. Candidates come from tables of equal pairs of bytes, so that the work does not grow with the square.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from triscale.data.transforms.area_resize import CHUNK, Pictures

SIDE = 16
"""Pixels below which an image has no look, since it has fewer waves than are compared."""
DECODED = 96
"""Pixels of the shorter side from which a look is the same whether a JPEG is decoded whole or at a fraction."""
COARSE, FINE, COLOUR = 6, 32, 16
"""Most signs of 63 and of 255 that may differ, and the most that the mean colour may (of 255).

Of photos of clothing 99 of 100 copies (resized, re-encoded, brightened by 15%) differ in at most 6 and 22 signs, and
the nearest of 5.8 million pairs of other photos in 6 and 38.
"""
FLAT = 2.0
"""Standard deviation of the brightness (of 255) below which an image shows nothing that could be compared."""
_MOST = 512
"""Neighbours in a table with which a look is compared: a bound for sets of which very many look alike."""

Looks = NDArray[np.uint8]
BYTES = 8 + 32 + 8
"""Of a look: coarse signs, fine signs, two colour differences of each quarter; all zero is not a look."""


def look_of(image: Image.Image) -> str:
    """The look of an RGB image in hexadecimal; empty if it has none."""
    if min(image.size) < SIDE:
        return ""
    return looks_of(np.asarray(_reduced(image))[None])[0]


def looks_of(images: Pictures) -> list[str]:
    """The looks of images `[n, height, width, 3]`; empty for those that have none."""
    if min(images.shape[1:3]) < SIDE:
        return [""] * len(images)
    found = list[str]()
    for start in range(0, len(images), CHUNK):
        block = images[start : start + CHUNK]
        if min(images.shape[1:3]) >= DECODED:
            block = np.stack([np.asarray(_reduced(Image.fromarray(one))) for one in block])
        found += [one.tobytes().hex() if one.any() else "" for one in _looks(block)]
    return found


def _reduced(image: Image.Image) -> Image.Image:
    """Averaged over whole pixels to a shorter side of 48 to 95; a smaller one as it is."""
    return image.reduce(max(1, 2 * min(image.size) // DECODED))


def _looks(images: Pictures) -> Looks:
    n, high, wide = images.shape[:3]
    red, green, blue = (images[..., channel].astype(np.float32) for channel in range(3))
    bright = 0.299 * red + 0.587 * green + 0.114 * blue
    waves = np.matmul(np.matmul(_waves(high), bright), _waves(wide).T)
    found = np.zeros((n, BYTES), np.uint8)
    found[:, :8], found[:, 8:40] = _signs(waves[:, :8, :8]), _signs(waves)
    for at, (top, left) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        rows = slice(top * (high // 2), high if top else high // 2)
        columns = slice(left * (wide // 2), wide if left else wide // 2)
        for offset, channel in enumerate((red, blue)):
            mean = (channel - bright)[:, rows, columns].mean(axis=(1, 2))
            found[:, 40 + 2 * at + offset] = np.clip(mean / 2 + 128, 1, 255)
    found[bright.std(axis=(1, 2)) < FLAT] = 0
    return found


@cache
def _waves(side: int) -> NDArray[np.float32]:
    """The 16 slowest waves of the DCT-II along a side, `[16, side]`."""
    at = np.arange(side)
    return np.cos(np.pi * (2 * at + 1) * np.arange(16)[:, None] / (2 * side)).astype(np.float32)


def _signs(waves: NDArray[np.float32]) -> Looks:
    """A bit for each wave but the constant one, eight a byte; the bit of the constant one is 0."""
    flat = waves.reshape(len(waves), -1)
    signs = flat > np.median(flat[:, 1:], axis=1, keepdims=True)
    signs[:, 0] = False
    return np.packbits(signs, axis=1)


def alike(digests: Sequence[str], looks: Sequence[str]) -> dict[str, str]:
    """For each digest of an image that has near copies, the least digest of its group: it does not depend on order."""
    found = dict(zip(digests, looks, strict=True))
    groups = near_groups(list(found.values()))
    names, members = list(found), defaultdict[int, list[str]](list)
    for name, group in zip(names, groups, strict=True):
        members[group].append(name)
    return {name: min(some) for some in members.values() if len(some) > 1 for name in some}


def near_groups(looks: Sequence[str]) -> list[int]:
    """For each look the index of the first one of its group: looks that are near, or joined by others that are.

    A look that is empty is a group by itself.
    """
    groups = list(range(len(looks)))

    def first(index: int) -> int:
        while groups[index] != index:
            groups[index] = groups[groups[index]]
            index = groups[index]
        return index

    for one, other in _near_pairs(looks):
        low, high = sorted((first(one), first(other)))
        groups[high] = low
    return [first(index) for index in range(len(looks))]


def _near_pairs(looks: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of near looks, some of them several times; of equal looks each with the first."""
    known: dict[str, int] = {}
    for at, look in enumerate(looks):
        if look and known.setdefault(look, at) != at:
            yield known[look], at
    places = np.array(list(known.values()), dtype=np.int64)
    if len(places) < 2:
        return
    table = np.frombuffer(bytes.fromhex("".join(known)), np.uint8).reshape(len(known), BYTES)
    coarse = np.ascontiguousarray(table[:, :8]).view(np.uint64)[:, 0]
    fine = np.ascontiguousarray(table[:, 8:40]).view(np.uint64)
    colours = table[:, 40:].astype(np.int16)
    # Of eight bytes at most six differ in six signs, so that each pair of near looks shares two.
    for one, other in combinations(range(8), 2):
        key = table[:, one].astype(np.uint16) << 8 | table[:, other]
        order = np.lexsort((coarse, key))
        ranked = key[order]
        for step in range(1, min(_MOST, len(order))):
            equal = np.flatnonzero(ranked[step:] == ranked[:-step])
            if not len(equal):
                break
            a, b = order[equal], order[equal + step]
            near = np.bitwise_count(coarse[a] ^ coarse[b]) <= COARSE
            a, b = a[near], b[near]
            near = np.bitwise_count(fine[a] ^ fine[b]).sum(axis=1) <= FINE
            near &= 2 * np.abs(colours[a] - colours[b]).mean(axis=1) <= COLOUR
            yield from zip(places[a[near]].tolist(), places[b[near]].tolist(), strict=True)
