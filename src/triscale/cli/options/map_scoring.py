"""`--score` of `triscale explain`: what maps are worth, and with what they are compared."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from triscale.cli.show.output import Flag, Whole
from triscale.errors import UsageError

if TYPE_CHECKING:
    from triscale.explanation import Scoring

_STEPS = 50
_MOST_STEPS = 100_000


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class MapScoring:
    """How maps are scored; a command takes it as the argument `scores: MapScoring = UNSCORED`.

    Attributes:
        score: print what the maps are worth, as means over the images with 95% intervals: the areas below the curves
            of deletion (lower is better) and insertion (higher is better), and how much better they are than those of
            the same map with its places shuffled.
        steps: in how many equal parts the pixels of an image are deleted and inserted.
        boxes: a CSV file with the columns image, left, top, right and bottom, in pixels of the upright original: how
            much of a map lies inside the boxes is scored too.
        beside: a second run or checkpoint, whose maps of the same images are scored and compared image by image.
    """

    score: Flag = False
    steps: Whole = _STEPS
    boxes: Path | None = None
    beside: Annotated[str | None, Parameter(name="--beside")] = None

    def scoring(self) -> "Scoring | None":
        """How maps are scored; None where nobody asks for it. Loads torch.

        Raises:
            UsageError: an option that needs --score, or steps out of range.
            InputError: boxes that cannot be read.
        """
        if not self.score:
            given = {"--boxes": self.boxes, "--beside": self.beside}
            for name in [name for name, value in given.items() if value is not None]:
                raise UsageError(f"{name} is an option of --score: add --score.")
            return None
        if not 1 <= self.steps <= _MOST_STEPS:
            raise UsageError(f"--steps is {self.steps}; give 1 to {_MOST_STEPS:,}.")
        from triscale.explanation import Scoring, read_boxes  # noqa: PLC0415  torch is loaded only here

        return Scoring(steps=self.steps, boxes={} if self.boxes is None else read_boxes(self.boxes))


UNSCORED = MapScoring()
"""Maps are drawn and not scored."""
