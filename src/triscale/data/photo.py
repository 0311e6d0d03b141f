"""An image file of a data set, and what is done about doubtful ones."""

from dataclasses import dataclass

from triscale.data.decode.image import File, Stamp
from triscale.data.split import SplitRule
from triscale.data.transforms.area_resize import Size


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A file that is said to be an image of a class.

    Attributes:
        name: path relative to the root of the data set.
        file: where it lies.
        label: its class.
        digest: hash of its content; empty if it cannot be read at all.
        group: what it is kept together with in a split that is drawn; empty: only with what has its digest.
        look: what near copies share, see `triscale.data.checks.near_copies`; empty if it has none.
        stamp: size and time of change when it was checked.
        size: `(height, width)` in pixels, upright; `(0, 0)` if it is not an image.
        moving: whether it has more frames than the first.
        format: as Pillow calls it; empty if it is not an image.
        reason: why it is left out; empty if it is an image.
    """

    name: str
    file: File
    label: int
    digest: str = ""
    group: str = ""
    look: str = ""
    stamp: Stamp = (0, 0)
    size: Size = (0, 0)
    moving: bool = False
    format: str = ""
    reason: str = ""

    @property
    def key(self) -> str:
        """Photos of equal keys are never parted by a split that is drawn."""
        return self.group or self.digest


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """What is done about doubtful images, alike in a check and in a training.

    Attributes:
        strict: stop if an image would be left out, lies in two classes, or in both train and test.
        allow_empty: leave classes without a readable image out instead of stopping.
        follow_links: take links that lead out of the data folder.
        download: let torchvision fetch its data sets where they are not there.
        allow_truncated: take JPEGs that are cut off; what is missing is grey.
        split: how splits are found and drawn; a run keeps its rule.
    """

    strict: bool = False
    allow_empty: bool = False
    follow_links: bool = False
    download: bool = False
    allow_truncated: bool = False
    split: SplitRule = SplitRule()  # noqa: RUF009  frozen


DEFAULT = CheckOptions()
