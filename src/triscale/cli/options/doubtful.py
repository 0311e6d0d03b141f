"""What is done about doubtful images: the options of `check` and of every command that trains."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cyclopts import Parameter

from triscale.cli.show.output import Flag

if TYPE_CHECKING:
    from triscale.data import CheckOptions


GroupBy = Literal["content", "near"]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Doubtful:
    """What to do about doubtful images; a command takes it as the argument `doubtful: Doubtful = LEFT_OUT`.

    Attributes:
        strict: stop (exit code 65) if an image would be left out, or is in two classes, or in both train and test.
        allow_empty: leave out classes without a readable image, instead of stopping.
        follow_links: follow links that lead out of the data folder.
        download: let torchvision download one of its data sets if it is missing.
        allow_truncated: use truncated JPEGs, grey where they end, instead of leaving them out.
        group_by: images that stay on one side of a drawn split: those of equal content, or near copies too (resized,
            re-encoded).
    """

    strict: Flag = False
    allow_empty: Flag = False
    follow_links: Flag = False
    download: Flag = False
    allow_truncated: Flag = False
    group_by: GroupBy = "content"

    def policy(self) -> "CheckOptions":
        """The same for `triscale.data.open_data`."""
        from triscale.data import CheckOptions, SplitRule  # noqa: PLC0415  decoders are loaded only here

        given = {name: value for name, value in vars(self).items() if name != "group_by"}
        return CheckOptions(**given, split=SplitRule(group_by=self.group_by))


LEFT_OUT = Doubtful()
"""Doubtful images are left out and reported."""
