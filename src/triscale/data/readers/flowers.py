"""The embedded data set: flowers drawn from a seed, twelve classes of petals (3 to 6) x weave (stripes, checks, rings).

The weave has a period of 5 to 26 px on pictures of 96 px, each octave as likely as the next: at 24 px the coarse ones
are clear and the finest third is lost, at 40 px none is. So a network learns the forms from the coarse ones early, in
no sudden step, and more pixels are more information, as a study of resolution needs. The petals are tellable at any
size.
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

SIDE = 96
PETALS = (3, 4, 5, 6)
WEAVES = ("stripes", "checks", "rings")
CLASSES = tuple(f"{petals} petals, {weave}" for petals in PETALS for weave in WEAVES)
PERIOD = (5, 26)
TRAIN, TEST = 9600, 2400
DRAWING = 2
"""Raised whenever the drawing changes: it is what the fingerprint knows of the drawing."""

_BLOCK = 64
_HALF = np.array(0.5, dtype=np.float32)
_ACROSS: Field = ((np.arange(SIDE) + 0.5) / SIDE).astype(np.float32)[None, :]
_DOWN: Field = _ACROSS.T


@dataclass(frozen=True, eq=False)
class FlowerPart:
    """The pictures `0..n - 1` of one split; picture i is of class i modulo 12 and depends on (seed, split, i) alone."""

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
        """None: each picture is another."""
        return ()

    @property
    def keys(self) -> tuple[str, ...]:
        """None."""
        return ()

    def name(self, index: int) -> str:
        """Its number."""
        return f"flower {index} of {self.split}"

    def opened(self, index: int) -> AbstractContextManager[Image.Image]:
        """One picture, drawn."""
        return nullcontext(Image.fromarray(draw(self.seed, self.split, index)))

    def render(self, size: Size, how: Preprocessing = STUDY) -> Iterator[Pictures]:  # noqa: ARG002 - only at `master`
        """All pictures, drawn."""
        for start in range(0, self.n, _BLOCK):
            yield np.stack([draw(self.seed, self.split, i) for i in range(start, min(start + _BLOCK, self.n))])


def open_flowers(*, train: int = TRAIN, test: int = TEST, seed: int = 0, name: str = "flowers", cache: Path) -> Source:
    """The embedded set.

    Args:
        train: number of training pictures, at least one for each of the twelve classes.
        test: number of test pictures, likewise.
        seed: another seed, other pictures.
        name: what the source calls itself.
        cache: folder for rendered pictures; at 96 px 27 KiB each.
    """
    if min(train, test) < len(CLASSES) or seed < 0:
        raise UsageError(
            f"{train} and {test} flowers cannot be drawn.\nGive at least {len(CLASSES)} each, a class has one."
        )
    return Source(
        name=name,
        classes=CLASSES,
        native=(SIDE, SIDE),
        fingerprint=hashlib.sha256(f"flowers {DRAWING} {seed} {train} {test}".encode()).hexdigest(),
        test_from="test",
        notes=(
            "The pictures are drawn, not photographed: they show how a study works, not how well it does on photos.",
        ),
        parts={"train": FlowerPart("train", train, seed), "test": FlowerPart("test", test, seed)},
        cache=cache,
    )


def named_flowers(where: str, cache: Path) -> Source:
    """The set that `flowers` or `flowers:240` means."""
    _, colon, count = where.partition(":")
    if not colon:
        return open_flowers(train=TRAIN, test=TEST, cache=cache)
    if not count.isdecimal() or int(count) < 48:
        raise InputError(f"{count!r} flowers cannot be drawn.\nWrite `flowers`, or `flowers:N` with N of at least 48.")
    return open_flowers(train=int(count), test=int(count) // 4, name=where, cache=cache)


def draw(seed: int, split: Split, index: int) -> Pictures:
    """Picture `index` of a split: uint8 `[96, 96, 3]` of class `index % 12`."""
    draws = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, int(split == "test"), index))))
    picture = _background(draws)
    for _ in range(draws.integers(2, 6)):
        across, down = _moved(draws, 0.5)
        _paint(picture, _single(draws.uniform(0.03, 0.09)) - np.hypot(across, down), _colour(draws))
    _flower(picture, draws, PETALS[index % len(CLASSES) // len(WEAVES)], WEAVES[index % len(WEAVES)])
    picture += _single(0.04) * draws.standard_normal(picture.shape, dtype=np.float32)
    levels = np.clip(picture, 0, 1) * _single(255) + _single(0.5)
    return np.ascontiguousarray(levels.astype(np.uint8).transpose(1, 2, 0))


def _background(draws: np.random.Generator) -> Field:
    """A slope between two colours under a weave too faint to be mistaken: a texture somewhere is not yet an answer."""
    slope, _ = _turned(_ACROSS - _HALF, _DOWN - _HALF, draws.uniform(0, 2 * np.pi))
    first, second = _colour(draws), _colour(draws)
    faint = _weave(draws, WEAVES[draws.integers(len(WEAVES))], _ACROSS - _HALF, _DOWN - _HALF)
    picture: Field = first + (second - first) * (slope + _HALF) + _single(0.03) * faint
    return picture


def _flower(picture: Field, draws: np.random.Generator, petals: int, weave: str) -> None:
    across, down = _moved(draws, 0.1)
    inside = _petals(draws, petals, across, down)
    contrast = _single(draws.uniform(0.3, 0.45))
    colours = _standing_out(draws, picture) + contrast * _weave(draws, weave, across, down)
    _paint(picture, inside, colours)


def _petals(draws: np.random.Generator, petals: int, across: Field, down: Field) -> Field:
    """How far inside of the outline each place lies; its radius is a cosine of the angle on squashed axes."""
    along, aside = _turned(across, down, draws.uniform(0, 2 * np.pi))
    along, aside = _turned(along, aside * _single(draws.uniform(1, 1.3)), draws.uniform(0, 2 * np.pi))
    radius, depth = draws.uniform(0.28, 0.4), draws.uniform(0.25, 0.4)
    lobes = np.cos(_single(petals) * np.arctan2(aside, along))
    inside: Field = _single(radius * (1 - depth)) + _single(radius * depth) * lobes - np.hypot(along, aside)
    return inside


def _weave(draws: np.random.Generator, weave: str, across: Field, down: Field) -> Field:
    """A wave of one period whatever the weave: mean 0, root mean square 0.7, so that only its form tells the class."""
    frequency = 2 * np.pi * SIDE / np.exp(draws.uniform(*np.log(PERIOD)))
    along, aside = _turned(across, down, draws.uniform(0, np.pi))
    first, second = (_single(draws.uniform(0, 2 * np.pi)) for _ in range(2))
    if weave == "stripes":
        wave: Field = np.sin(_single(frequency) * along + first)
    elif weave == "rings":
        wave = np.sin(_single(frequency) * np.hypot(along, aside) + first)
    else:
        crossed = _single(frequency / np.sqrt(2))  # the product of two waves has the sum of their frequencies
        wave = _single(np.sqrt(2)) * np.sin(crossed * along + first) * np.sin(crossed * aside + second)
    return wave


def _single(value: float) -> Field:
    return np.array(value, dtype=np.float32)


def _moved(draws: np.random.Generator, reach: float) -> tuple[Field, Field]:
    """Coordinates around a point at most `reach` from the middle."""
    across, down = draws.uniform(0.5 - reach, 0.5 + reach, 2)
    return _ACROSS - _single(across), _DOWN - _single(down)


def _turned(across: Field, down: Field, angle: float) -> tuple[Field, Field]:
    cosine, sine = _single(np.cos(angle)), _single(np.sin(angle))
    return cosine * across + sine * down, cosine * down - sine * across


def _colour(draws: np.random.Generator) -> Field:
    return draws.uniform(0.2, 0.8, (3, 1, 1)).astype(np.float32)


def _standing_out(draws: np.random.Generator, picture: Field) -> Field:
    """Of four colours the one farthest from the mean of the picture, so that the outline can be seen."""
    colours = np.stack([_colour(draws) for _ in range(4)])
    distances = np.square(colours - picture.mean(axis=(1, 2), keepdims=True)).sum(axis=(1, 2, 3))
    farthest: Field = colours[distances.argmax()]
    return farthest


def _paint(picture: Field, inside: Field, colours: Field) -> None:
    """Lay `colours` over the picture where `inside` (a length in sides) is positive, softly over one pixel."""
    cover = np.clip(inside * _single(SIDE) + _HALF, 0, 1)
    picture += cover * (colours - picture)
