"""The proof of a lower precision: both files answer the same images, and the drop of accuracy has an upper bound."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triscale.errors import UsageError
from triscale.intervals import LEVEL, paired_drop

Right = NDArray[np.bool_]
"""[n], whether each image is classified correctly."""

_MOST_IMAGES = 1 << 40


@dataclass(frozen=True, kw_only=True, slots=True)
class AccuracyDrop:
    """What a lower precision changes on images that both precisions answer.

    Attributes:
        images: how many there are.
        lost: classified correctly in float32 and not in the lower precision.
        gained: the other way round.
        before: classified correctly in float32.
        level: of the interval. The first file that is judged has 95%. Each further one has half the risk of the one
            before, so that all looks together accept a drop beyond the bound in at most 5% of cases.
    """

    images: int
    lost: int
    gained: int
    before: int
    level: float = LEVEL

    @property
    def after(self) -> int:
        """Images that the lower precision classifies correctly."""
        return self.before - self.lost + self.gained

    @property
    def points(self) -> float:
        """The drop in percentage points; negative where accuracy rose."""
        return 100 * (self.lost - self.gained) / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of the drop in percentage points, see `triscale.intervals.paired_drop`."""
        low, high = paired_drop(self.lost, self.gained, self.images, self.level)
        return 100 * low, 100 * high

    def images_needed(self, most: float) -> int | None:
        """How many images would show a drop of at most so many points, if they changed as these; None: none would."""
        if self.points >= most:
            return None
        low, high = 1, _MOST_IMAGES
        while low < high:
            n = (low + high) // 2
            part = n / self.images
            enough = 100 * paired_drop(self.lost * part, self.gained * part, n, self.level)[1] <= most
            low, high = (low, n) if enough else (n + 1, high)
        return low

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"top-1 {self.before / self.images:.1%} in float32, {self.after / self.images:.1%} after, on the same "
            f"{self.images:,} images ({self.lost} lost, {self.gained} gained): a drop of {self.points:.1f} points "
            f"({100 * self.level:.4g}% interval {low:.1f} to {high:.1f})"
        )

    def to_dict(self) -> dict[str, Any]:
        """For metadata and output; drops are in percentage points."""
        return {
            "images": self.images,
            "top1_float32": self.before / self.images,
            "top1": self.after / self.images,
            "lost": self.lost,
            "gained": self.gained,
            "drop": self.points,
            "drop_interval": list(self.interval),
            "level": self.level,
        }


def level_of(look: int = 0, shared: int = 1) -> float:
    """The level of an interval: for the look of this number, from 0, at one of so many files that share the risk."""
    return 1 - (1 - LEVEL) / (shared << look)


def drop_between(before: Right, after: Right, level: float = LEVEL) -> AccuracyDrop:
    """The drop from one set of answers to another on the same images; see `level_of`."""
    return AccuracyDrop(
        images=len(before),
        lost=int((before & ~after).sum()),
        gained=int((~before & after).sum()),
        before=int(before.sum()),
        level=level,
    )


def refuse_undecidable(images: int, most: float, level: float = LEVEL) -> None:
    """UsageError where so few images cannot show a drop of at most `most` points, even if no answer changes."""
    same = AccuracyDrop(images=images, lost=0, gained=0, before=0, level=level)
    if same.interval[1] <= most:
        return
    needed = same.images_needed(most)
    raise UsageError(
        f"{images:,} images cannot show that at most {most:g} {'point' if most == 1 else 'points'} of top-1 are lost: "
        f"that is {most * images / 100:.1f} images.\n"
        f"Even where no answer changes, the {100 * level:.4g}% interval of the drop ends at {same.interval[1]:.2f} "
        "points.\n"
        f"Give --max-drop {rounded_up(same.interval[1])}, or --data with at least {needed:,} images to evaluate on."
    )


def rounded_up(points: float) -> str:
    """The next tenth of a point, for a message that says what to give."""
    return f"{math.ceil(points * 10 - 1e-9) / 10:.1f}"
