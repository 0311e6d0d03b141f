"""Names that operating systems, file servers and archives leave among images; nobody means them as data."""

from collections.abc import Iterable

OWN = frozenset(
    {
        # folders
        "@eadir", "@recycle", "@recently-snapshot", "@tmp", "#recycle", "#snapshot", "#trash", "__macosx",
        "$recycle.bin", "recycler", "system volume information", "lost+found", "__pycache__", "network trash folder",
        "temporary items", "found.000",
        # files
        "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "zbthumbnail.info", "icon\r",
    }
)  # fmt: skip
"""Names that Windows, macOS, Synology, QNAP, ext4, Python and photo programs keep for themselves, in lower case."""
BEGINNINGS = ("._", "~$", ".trash", ".appledouble", ".ds_store", "thumbs.db:")


def is_litter(name: str) -> bool:
    """Whether one part of a path is a name of such a thing, wherever it lies."""
    folded = name.casefold()
    return folded in OWN or folded.startswith(BEGINNINGS)


def is_ignored(name: str) -> bool:
    """Whether a walk through folders passes over a name: litter, or hidden as whatever begins with a dot."""
    return name.startswith(".") or is_litter(name)


def lies_in_litter(parts: Iterable[str]) -> bool:
    """Whether any part of a path is litter. A hidden folder is none here: who lists it, means it."""
    return any(map(is_litter, parts))
