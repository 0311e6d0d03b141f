"""The embedded data set: flowers drawn from a seed, twelve classes of petals (3 to 6) x weave (stripes, checks, rings).

A training of a few hundred steps must learn something from it in every seed, and a better network more. So

- the classes differ in several ways that are learned one after the other, none of them at a sudden step: each class
  has a usual colour of its petals and of its disc (a first hint that leaves most open), an outline and a weave;
- flowers stand upright and near the middle but for small turns and shifts, and look the same in a mirror on average;
- every image has its own difficulty, drawn for outline, weave and grain apart: some are seen by any network, some by
  none, so that a little more of depth, width or pixels gains a few images, and accuracy never saturates.

The weave has a period of a fifth to two fifths of the side: 3 to 6 px at 16 px, where more pixels show more of it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from triscale.data.names.split_words import Split
from triscale.data.source import Source
from triscale.data.transforms.area_resize import Pictures, Size
from triscale.data.transforms.eval_crop import STUDY
from triscale.errors import InputError, UsageError
from triscale.spec import Preprocessing

Field = NDArray[np.float32]

SIDE = 64
PETALS = (3, 4, 5, 6)
WEAVES = ("stripes", "checks", "rings")
CLASSES = tuple(f"{petals} petals, {weave}" for petals in PETALS for weave in WEAVES)
TRAIN, VALIDATION, TEST = 12_000, 3_600, 3_600
DRAWING = 3
"""Raised whenever the drawing changes: it is what the fingerprint knows of the drawing."""

Range = tuple[float, float]

PERIOD: Range = (0.2, 0.4)
"""Of the weave, in sides."""

LOBES: Range = (0.5, 0.02)
"""From the easiest to the hardest: how much of the radius the petals are."""

CONTRAST: Range = (0.5, 0.015)
"""From the easiest to the hardest: of the weave."""

GRAIN: Range = (0.05, 0.5)
"""From the easiest to the hardest: standard deviation of what is added to every value."""

TURN, SHIFT, PHASE = 0.12, 0.02, 0.25
"""At most: radians, sides, radians of the weave's wave."""

HUES: Range = (0.15, 0.2)
"""Standard deviation of the colour of petals and disc around those of the class, in turns of the colour wheel."""

_SPLITS = {"train": 0, "test": 1, "val": 2}
_BLOCK = 64
_HALF = np.array(0.5, dtype=np.float32)
_ACROSS: Field = ((np.arange(SIDE) + 0.5) / SIDE).astype(np.float32)[None, :]
_DOWN: Field = _ACROSS.T


@dataclass(frozen=True, eq=False)
class FlowerPart:
    """The images `0..n - 1` of one split; image i is of class i modulo 12 and depends on (seed, split, i) alone."""

    split: Split
    n: int
    seed: int

    @property
    def labels(self) -> NDArray[np.int64]:
        """`[n]`."""
        return np.arange(self.n) % len(CLASSES)

    @property
    def master(self) -> Size | None:
        """All other sizes are averaged from this one."""
        return SIDE, SIDE

    @property
    def digests(self) -> tuple[str, ...]:
        """None: each image is another."""
        return ()

    @property
    def keys(self) -> tuple[str, ...]:
        """None."""
        return ()

    def name(self, index: int) -> str:
        """Its number."""
        return f"flower {index} of {self.split}"

    def opened(self, index: int) -> AbstractContextManager[Image.Image]:
        """One image, drawn."""
        return nullcontext(Image.fromarray(draw(self.seed, self.split, index)))

    def render(self, size: Size, how: Preprocessing = STUDY) -> Iterator[Pictures]:  # noqa: ARG002 - only at `master`
        """All images, drawn."""
        for start in range(0, self.n, _BLOCK):
            yield np.stack([draw(self.seed, self.split, i) for i in range(start, min(start + _BLOCK, self.n))])


def open_flowers(
    *, train: int = TRAIN, test: int = TEST, val: int = 0, seed: int = 0, name: str = "flowers", cache: Path
) -> Source:
    """The embedded set.

    Args:
        train: number of training images, at least one for each of the twelve classes.
        test: number of test images, likewise.
        val: number of validation images, or 0: a tenth of `train`, as of any set without them.
        seed: another seed, other images.
        name: what the source calls itself.
        cache: folder for rendered images; at 64 px 12 KiB each.
    """
    if min(train, test) < len(CLASSES) or seed < 0:
        raise UsageError(
            f"{train} and {test} flowers cannot be drawn.\nGive at least {len(CLASSES)} each, a class has one."
        )
    numbers: dict[Split, int] = {"train": train, "test": test, **({"val": val} if val else {})}
    return Source(
        name=name,
        classes=CLASSES,
        native=(SIDE, SIDE),
        fingerprint=hashlib.sha256(f"flowers {DRAWING} {seed} {train} {val} {test}".encode()).hexdigest(),
        test_from="test",
        notes=("The images are drawn, not photographed: they show how a study works, not how well it does on photos.",),
        parts={split: FlowerPart(split, number, seed) for split, number in numbers.items()},
        cache=cache,
    )


def named_flowers(where: str, cache: Path) -> Source:
    """The set that `flowers` or `flowers:240` means."""
    _, colon, count = where.partition(":")
    if not colon:
        return open_flowers(train=TRAIN, test=TEST, val=VALIDATION, cache=cache)
    if not count.isdecimal() or int(count) < 48:
        raise InputError(f"{count!r} flowers cannot be drawn.\nWrite `flowers`, or `flowers:N` with N of at least 48.")
    return open_flowers(train=int(count), test=int(count) // 4, name=where, cache=cache)


def draw(seed: int, split: Split, index: int) -> Pictures:
    """Image `index` of a split: uint8 `[64, 64, 3]` of class `index % 12`."""
    draws = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, _SPLITS[split], index))))
    picture = _background(draws)
    for _ in range(draws.integers(1, 5)):
        across, down = _moved(draws, 0.5)
        _paint(picture, _single(draws.uniform(0.03, 0.09)) - np.hypot(across, down), _colour(draws, 0.15, 0.85))
    _flower(picture, draws, index % len(CLASSES))
    picture += _single(_graded(draws, GRAIN)) * draws.standard_normal(picture.shape, dtype=np.float32)
    levels = np.clip(picture, 0, 1) * _single(255) + _single(0.5)
    return np.ascontiguousarray(levels.astype(np.uint8).transpose(1, 2, 0))


def _background(draws: np.random.Generator) -> Field:
    """A slope between two colours that are not bright."""
    slope, _ = _turned(_ACROSS - _HALF, _DOWN - _HALF, draws.uniform(0, 2 * np.pi))
    first, second = _colour(draws, 0.1, 0.6), _colour(draws, 0.1, 0.6)
    picture: Field = first + (second - first) * (slope + _HALF)
    return picture


def _flower(picture: Field, draws: np.random.Generator, label: int) -> None:
    across, down = _moved(draws, SHIFT)
    inside = _petals(draws, PETALS[label // len(WEAVES)], across, down)
    wave = _single(_graded(draws, CONTRAST)) * _weave(draws, WEAVES[label % len(WEAVES)], across, down)
    petals, disc = (label * 5 % 12, label * 7 % 12 + 3)  # classes that share petals or weave are far apart
    _paint(picture, inside, _hue(draws, petals, HUES[0]) + wave)
    _paint(picture, _single(draws.uniform(0.05, 0.09)) - np.hypot(across, down), _hue(draws, disc, HUES[1]))


def _petals(draws: np.random.Generator, petals: int, across: Field, down: Field) -> Field:
    """How far inside of the outline each place lies; its radius is a cosine of the angle from upright."""
    along, aside = _turned(across, down, np.pi / 2 + draws.uniform(-TURN, TURN))
    radius, lobes = draws.uniform(0.3, 0.42), _graded(draws, LOBES)
    wave = np.cos(_single(petals) * np.arctan2(aside, along))
    inside: Field = _single(radius * (1 - lobes)) + _single(radius * lobes) * wave - np.hypot(along, aside)
    return inside


def _weave(draws: np.random.Generator, weave: str, across: Field, down: Field) -> Field:
    """A wave of one period whatever the weave: root mean square 0.7, so that only its form tells the class."""
    frequency = 2 * np.pi / _graded(draws, PERIOD)
    along, aside = _turned(across, down, draws.uniform(-TURN, TURN))
    first, second = (_single(draws.uniform(-PHASE, PHASE)) for _ in range(2))
    if weave == "stripes":
        wave: Field = np.cos(_single(frequency) * along + first)
    elif weave == "rings":
        wave = np.cos(_single(frequency) * np.hypot(along, aside) + first)
    else:
        crossed = _single(frequency / np.sqrt(2))  # the product of two waves has the sum of their frequencies
        wave = _single(np.sqrt(2)) * np.cos(crossed * along + first) * np.cos(crossed * aside + second)
    return wave


def _graded(draws: np.random.Generator, ends: Range) -> float:
    """Between two ends, each factor as likely as the next."""
    easiest, hardest = ends
    return float(easiest * (hardest / easiest) ** draws.uniform())


def _single(value: float) -> Field:
    return np.array(value, dtype=np.float32)


def _moved(draws: np.random.Generator, reach: float) -> tuple[Field, Field]:
    """Coordinates around a point at most `reach` from the middle."""
    across, down = draws.uniform(0.5 - reach, 0.5 + reach, 2)
    return _ACROSS - _single(across), _DOWN - _single(down)


def _turned(across: Field, down: Field, angle: float) -> tuple[Field, Field]:
    cosine, sine = _single(np.cos(angle)), _single(np.sin(angle))
    return cosine * across + sine * down, cosine * down - sine * across


def _colour(draws: np.random.Generator, low: float, high: float) -> Field:
    return draws.uniform(low, high, (3, 1, 1)).astype(np.float32)


def _hue(draws: np.random.Generator, twelfth: int, spread: float) -> Field:
    """A bright colour around a twelfth of the colour wheel (HSV), `spread` turns away as a rule."""
    hue = twelfth / 12 + draws.normal(0, spread)
    saturation, value = draws.uniform(0.35, 0.75), draws.uniform(0.6, 0.95)
    sector = (np.array([5, 3, 1]) + 6 * hue) % 6
    colour = value - value * saturation * np.clip(np.minimum(sector, 4 - sector), 0, 1)
    return colour.astype(np.float32).reshape(3, 1, 1)


def _paint(picture: Field, inside: Field, colours: Field) -> None:
    """Lay `colours` over the image where `inside` (a length in sides) is positive, softly over one pixel."""
    cover = np.clip(inside * _single(SIDE) + _HALF, 0, 1)
    picture += cover * (colours - picture)
