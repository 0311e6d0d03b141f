"""Where the picture lies that a table means: paths with backslashes, in another case, without a suffix or a folder."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from triscale.data.litter import is_ignored
from triscale.data.words import looks_like_picture

DEPTH = 2
"""How deep below the table's folder a folder of pictures may lie that the table does not name."""
ADDRESS = re.compile(r"[a-zA-Z][\w+.-]+://")
ABSOLUTE = re.compile(r"/|[a-zA-Z]:/|//")
ABSENT = "no such file or directory"
ONLINE = "an address, no file"
FOLDER = "a folder, no file"
IN_CASE = "names are read in the case of the files"
DEEPER = "files are found in folders below the table"
WITH_SUFFIX = "the suffix of the file is added"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a cell leads to.

    Attributes:
        file: where the picture lies, or would lie.
        changed: how the cell was read, for a note, where it does not name the file as it stands.
        reason: why there is no such file.
    """

    file: Path
    changed: str = ""
    reason: str = ""


@dataclass(eq=False)
class Lookup:
    """Finds the files that the cells of one table mean.

    Attributes:
        folder: of the table; paths are relative to it.
        prefix: the beginning of absolute paths that the folder had on another machine.
    """

    folder: Path
    prefix: str = ""
    _listings: dict[Path, dict[str, list[str]]] = field(default_factory=dict)

    def find(self, cell: str, prefer: Sequence[str] = ()) -> Found:
        """The file that a cell means; where nothing or more than one thing fits, a reason.

        Args:
            cell: as the table has it.
            prefer: names of folders; where several hold such a file, that of the first name counts.
        """
        exact = self.folder / cell
        if ADDRESS.match(cell):
            return Found(file=exact, reason=ONLINE)
        if _there(exact):
            return Found(file=exact)
        text = cell.strip()
        if _there(self.folder / text):
            return Found(file=self.folder / text)
        path, changed = self._relative(text.replace("\\", "/"))
        if changed == "" and "\\" in text:
            changed = "backslashes are read as slashes"
        if _there(self.folder / path):
            return Found(file=self.folder / path, changed=changed)
        if not path.strip("./") or ".." in PurePosixPath(path).parts or PurePosixPath(path).is_absolute():
            return Found(file=exact, reason=ABSENT)
        return self._searched(exact, path, changed, prefer)

    def learn_prefix(self, cells: Sequence[str]) -> None:
        """Set `prefix` to what absolute paths of another machine begin with, if without it most lead to files.

        The shortest of the best such beginnings; none where paths are relative or lead to files here.
        """
        paths = [cell.strip().replace("\\", "/") for cell in cells]
        if not paths or not all(map(ABSOLUTE.match, paths)) or any(map(_there, map(Path, paths))):
            return
        first, *others = (path.rpartition("/")[0] + "/" for path in paths)
        beginnings = [first[: sign.end()] for sign in re.finditer("/", first) if first[: sign.start()].strip("/")]
        beginnings = [start for start in beginnings if all(other.startswith(start) for other in others)]
        hits = {start: sum(self._leads(path[len(start) :].lstrip("/")) for path in paths) for start in beginnings}
        best = max(hits, key=lambda start: hits[start], default="")
        self.prefix = best if best and 2 * hits[best] >= len(paths) else ""

    def _leads(self, path: str) -> bool:
        return self.find(path).reason not in {ABSENT, FOLDER}

    def _relative(self, path: str) -> tuple[str, str]:
        if self.prefix and path.startswith(self.prefix):
            return path[len(self.prefix) :].lstrip("/"), f"{self.prefix!r} is read as the folder of the table"
        return path, ""

    def _searched(self, exact: Path, path: str, changed: str, prefer: Sequence[str]) -> Found:
        parts = PurePosixPath(path).parts
        if found := self._below(self.folder, parts):
            same = _folded(found[0].name) == _folded(parts[-1])
            return self._one(exact, found, changed, IN_CASE if same else WITH_SUFFIX)
        places = self._places.get(_folded(parts[0]), []) or (
            self._stems.get(_folded(parts[0]), []) if len(parts) == 1 else []
        )
        hits = {place: some for place in places if (some := self._below(place, parts))}
        for name in prefer:
            hits = {place: some for place, some in hits.items() if _named(place.relative_to(self.folder), name)} or hits
        files = [file for some in hits.values() for file in some]
        if not files:
            return Found(file=exact, reason=FOLDER if exact.is_dir() else ABSENT)
        return self._one(exact, files, changed, DEEPER)

    def _one(self, exact: Path, files: Sequence[Path], changed: str, how: str) -> Found:
        if len(files) > 1:
            first, second = (self._shown(file) for file in files[:2])
            return Found(file=exact, reason=f"it may be {first!r} or {second!r}")
        return Found(file=files[0], changed=changed or how)

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _below(self, place: Path, parts: Sequence[str]) -> list[Path]:
        """The files below a folder that fit: the name as it is, else in any case, else with a picture's suffix."""
        *folders, last = parts
        for part in folders:
            names = _fitting(self._listing(place), part)
            if len(names) != 1:
                return []
            place = place / names[0]
        listing = self._listing(place)
        names = [name for name in _fitting(listing, last) if not (place / name).is_dir()]
        return [place / name for name in names or _with_suffix(listing, last)]

    def _listing(self, place: Path) -> dict[str, list[str]]:
        if place not in self._listings:
            names = defaultdict[str, list[str]](list)
            for name in _entries(place):
                names[_folded(name)].append(name)
                if looks_like_picture(name):
                    names[_folded(PurePosixPath(name).stem) + "\0"].append(name)
            self._listings[place] = dict(names)
        return self._listings[place]

    @cached_property
    def _places(self) -> dict[str, list[Path]]:
        """The folders below the table's by the names of what lies in them."""
        return self._by_name("")

    @cached_property
    def _stems(self) -> dict[str, list[Path]]:
        """Likewise by the names of pictures without their suffix."""
        return self._by_name("\0")

    def _by_name(self, end: str) -> dict[str, list[Path]]:
        places = defaultdict[str, list[Path]](list)
        for place in _folders(self.folder, DEPTH):
            for key in self._listing(place):
                if key.endswith("\0") == bool(end):
                    places[key.removesuffix(end)].append(place)
        return dict(places)


def _there(path: Path) -> bool:
    """Whether something lies there that is no folder; a link to nothing does."""
    try:
        return os.path.lexists(path) and not path.is_dir()
    except (OSError, ValueError):  # a name too long for the file system
        return False


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _fitting(listing: dict[str, list[str]], name: str) -> list[str]:
    names = listing.get(_folded(name), [])
    return [name] if name in names else names


def _with_suffix(listing: dict[str, list[str]], stem: str) -> list[str]:
    names = listing.get(_folded(stem) + "\0", [])
    exact = [name for name in names if PurePosixPath(name).stem == stem]
    return exact or names


def _named(place: Path, name: str) -> bool:
    """Whether a part of a relative path is `name`, or begins with it as `train_images` does."""
    return any(re.match(rf"{re.escape(name)}(?:[_-]|$)", part, re.IGNORECASE) for part in place.parts)


def _entries(place: Path) -> list[str]:
    try:
        return sorted(path.name for path in place.iterdir() if not is_ignored(path.name))
    except OSError:
        return []


def _folders(root: Path, depth: int) -> Iterator[Path]:
    for name in _entries(root) if depth else ():
        folder = root / name
        if folder.is_dir() and not folder.is_symlink():
            yield folder
            yield from _folders(folder, depth - 1)
