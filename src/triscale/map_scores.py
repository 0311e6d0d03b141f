"""What class activation maps are worth: the scores of one map, and of many with intervals over images.

Areas are those of deletion and insertion (Petsiuk et al., RISE, BMVC 2018), energy that of the energy-based pointing
game (Wang et al., Score-CAM, 2020). How fast a probability falls also depends on how sure the network is, so areas
alone do not compare networks: each stands beside that of a shuffled map, the same values on the same coarse grid in
other places. A gain over it is what the places of a map tell.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from triscale.intervals import mean_interval

MEASURES = ("deletion", "insertion", "deletion_gain", "insertion_gain", "energy", "box_share")
"""Names of what is summarised over images, as `MapScore` has them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MapScore:
    """What one map is worth.

    Attributes:
        deletion: area below the deletion curve, a mean probability; the lower, the better.
        insertion: area below the insertion curve; the higher, the better.
        shuffled_deletion, shuffled_insertion: the same of the map with its places shuffled.
        energy: the part of the map inside the boxes; None without a box, or where the map is nowhere above 0.
        box_share: the part of the image inside the boxes, which a flat map would have as energy; None without a box.
    """

    deletion: float
    insertion: float
    shuffled_deletion: float
    shuffled_insertion: float
    energy: float | None = None
    box_share: float | None = None

    @property
    def deletion_gain(self) -> float:
        """How much smaller the area of deletion is than the shuffled map's; above 0 is better than chance."""
        return self.shuffled_deletion - self.deletion

    @property
    def insertion_gain(self) -> float:
        """How much larger the area of insertion is than the shuffled map's."""
        return self.insertion - self.shuffled_insertion

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: the fields, and both gains."""
        return {**asdict(self), "deletion_gain": self.deletion_gain, "insertion_gain": self.insertion_gain}


@dataclass(frozen=True, kw_only=True, slots=True)
class MeanScore:
    """A mean over images, and its 95% t interval; None below two images.

    Attributes:
        n: images.
        mean: of them.
        interval: low and high.
    """

    n: int
    mean: float
    interval: tuple[float, float] | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"n": self.n, "mean": self.mean, "interval": None if self.interval is None else list(self.interval)}


def summary(scores: Sequence[MapScore]) -> dict[str, MeanScore]:
    """Each measure over the images that have it; measures that none has are left out."""
    found = {name: [value for one in scores if (value := getattr(one, name)) is not None] for name in MEASURES}
    return {name: _mean(values) for name, values in found.items() if values}


def paired(scores: Sequence[MapScore], than: Sequence[MapScore]) -> dict[str, MeanScore]:
    """By how much measures differ between two networks on the same images, in the same order: the first less the other.

    The interval is that of the differences, which is narrower than those of the two networks where images differ more
    than networks do.

    Raises:
        ValueError: not as many images of one as of the other.
    """
    found: dict[str, list[float]] = {name: [] for name in MEASURES if name != "box_share"}
    for one, other in zip(scores, than, strict=True):
        for name, values in found.items():
            here, there = getattr(one, name), getattr(other, name)
            if here is not None and there is not None:
                values.append(here - there)
    return {name: _mean(values) for name, values in found.items() if values}


def _mean(values: Sequence[float]) -> MeanScore:
    return MeanScore(n=len(values), mean=sum(values) / len(values), interval=mean_interval(values))
