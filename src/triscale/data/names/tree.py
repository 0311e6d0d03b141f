"""The files below a folder by their names: in any case, composed in any way, with an image's suffix or without."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from triscale.data.names.litter import is_ignored
from triscale.data.names.split_words import recognised
from triscale.data.names.words import looks_like_picture

DEPTH = 2
"""How deep below its root a tree is looked through for files whose folder nobody names."""


@dataclass(eq=False)
class Tree:
    """What lies below `root`; each folder is listed once."""

    root: Path
    _listings: dict[Path, dict[str, list[str]]] = field(default_factory=dict)
    _called: dict[str, frozenset[Path]] = field(default_factory=dict)

    def below(self, place: Path, parts: Sequence[str]) -> list[Path]:
        """The files of a folder that fit a path: its name as it is, else in any case, else with an image's suffix."""
        *folders, last = parts
        for part in folders:
            names = _fitting(self._listing(place), part)
            if len(names) != 1:
                return []
            place = place / names[0]
        listing = self._listing(place)
        names = [name for name in _fitting(listing, last) if not (place / name).is_dir()]
        return [place / name for name in names or _with_stem(listing, last)]

    def deeper(self, parts: Sequence[str], prefer: Sequence[str]) -> list[Path]:
        """The files that fit a path in the folders below the root.

        Args:
            parts: of the path.
            prefer: names of folders; where one with images is called so, no other counts. The first counts most.
        """
        places = self._holders.get(_folded(parts[0]), [])
        for name in prefer:
            if called := self._called_so(name):
                places = [place for place in places if place in called]
                break
        for name in prefer:
            places = [place for place in places if place in self._called_so(name)] or places
        return [file for place in places for file in self.below(place, parts)]

    def other_suffix(self, parts: Sequence[str]) -> list[Path]:
        """Images where a path leads, but with another suffix."""
        return self.below(self.root, (*parts[:-1], PurePosixPath(parts[-1]).stem)) if parts else []

    @cached_property
    def _folders(self) -> list[Path]:
        return list(_walk(self.root, DEPTH))

    @cached_property
    def _holders(self) -> dict[str, list[Path]]:
        """The folders by what lies in them: names, and those of images without their suffix."""
        holders = defaultdict[str, list[Path]](list)
        for place in self._folders:
            for name in dict.fromkeys(key.removesuffix("\0") for key in self._listing(place)):
                holders[name].append(place)
        return dict(holders)

    @cached_property
    def _pictured(self) -> frozenset[Path]:
        """The folders that hold images, here or deeper."""
        holding = (place for place in self._folders if any(key.endswith("\0") for key in self._listing(place)))
        return frozenset(place for one in holding for place in (one, *one.parents))

    def _called_so(self, name: str) -> frozenset[Path]:
        """The folders with images of which a part is `name`, begins with it, or is another word for this split."""
        if name not in self._called:
            fits = re.compile(rf"{re.escape(name)}(?:[_-]|$)", re.IGNORECASE)
            parts = {place: place.relative_to(self.root).parts for place in self._folders}
            splits = recognised(part for some in parts.values() for part in some)
            called = (
                place
                for place, some in parts.items()
                if any(fits.match(one) or splits.get(one) == name for one in some)
            )
            self._called[name] = frozenset(called) & self._pictured
        return self._called[name]

    def _listing(self, place: Path) -> dict[str, list[str]]:
        """Names by what is alike in any case; those of images also by their stem and a zero."""
        if place not in self._listings:
            names = defaultdict[str, list[str]](list)
            for name in _entries(place):
                names[_folded(name)].append(name)
                if looks_like_picture(name):
                    names[_folded(PurePosixPath(name).stem) + "\0"].append(name)
            self._listings[place] = dict(names)
        return self._listings[place]


def alike(one: str, other: str) -> bool:
    """Whether two names differ in case or composition at most."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _fitting(listing: dict[str, list[str]], name: str) -> list[str]:
    names = listing.get(_folded(name), [])
    return [name] if name in names else names


def _with_stem(listing: dict[str, list[str]], stem: str) -> list[str]:
    names = listing.get(_folded(stem) + "\0", [])
    exact = [name for name in names if PurePosixPath(name).stem == stem]
    return exact or names


def _entries(place: Path) -> list[str]:
    try:
        return sorted(path.name for path in place.iterdir() if not is_ignored(path.name))
    except OSError:
        return []


def _walk(root: Path, depth: int) -> Iterator[Path]:
    for name in _entries(root) if depth else ():
        folder = root / name
        if folder.is_dir() and not folder.is_symlink():
            yield folder
            yield from _walk(folder, depth - 1)
