"""Why nothing of a class, a split or a data set can be used: the first file with its reason, and what to do."""

from collections.abc import Sequence
from typing import Protocol

from triscale.errors import InputError

OUTSIDE = "a link out of the data folder"
ELSEWHERE = "a path out of the folder of the table"
NO_LABEL = "no label"

REMEDIES = {
    "pip install": "Install that, or convert the images to JPEG.",
    "out of the data folder": "Copy it into the folder, or take such links with --follow-links (check and train).",
    "out of the folder of the table": "Put the table above its images, or take such paths with --follow-links.",
    "a folder, no file": "List the images in it.",
    "no such file": "Restore the file, or correct the path; paths are relative to the table.",
    "link to nothing": "Restore what the link leads to.",
    "it may be": "Write the path with its folder and its suffix.",
    "an address": "Download the images, and list their files.",
    "no label": "Give it a label (in shards 17.cls, 17.txt or 17.json beside 17.jpg).",
    "no image": "Put the image beside its label.",
    "labelled": "Give each image one label.",
    "permission": "Allow this user to read it.",
    "empty": "Copy the file again: it has no content.",
    "broken": "Restore the file; --allow-truncated takes JPEGs that are cut off.",
    "megapixels": "Make the image smaller.",
    "not an image": "Convert it to JPEG or PNG, or remove it.",
}
"""What to do, by words of a reason; the first that fits."""


class Tried(Protocol):
    """A file that was looked at."""

    @property
    def name(self) -> str:
        """What a person finds it by."""

    @property
    def reason(self) -> str:
        """Why it cannot be used; empty if it can."""


def unusable(what: str, tried: Sequence[Tried], remedy: str, *, alone: bool = False) -> InputError:
    """The error of a thing that holds nothing usable; three lines at most.

    Args:
        what: the thing and what it lacks, a sentence without its end.
        tried: what was looked at; the first that has a reason is shown.
        remedy: what helps in any case.
        alone: leave the remedy out where the reason has one of its own.
    """
    bad = [one for one in tried if one.reason]
    if not bad:
        return InputError(f"{what}.\n{remedy}")
    more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
    own = next((some for words, some in REMEDIES.items() if words in bad[0].reason.lower()), "")
    lines = (f"{what}: {bad[0].name!r} ({bad[0].reason}){more}.", own, "" if alone and own else remedy)
    return InputError("\n".join(filter(None, lines)))
