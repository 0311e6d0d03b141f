"""Where the image lies that a table means: paths with backslashes, in another case, without a suffix or a folder."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from triscale.data.names.tree import Tree, alike

ADDRESS = re.compile(r"[a-zA-Z][\w+.-]+://")
ABSOLUTE = re.compile(r"/|[a-zA-Z]:/")
ABSENT = "no such file or directory"
ONLINE = "an address, no file"
FOLDER = "a folder, no file"

SLASHES = "backslashes are read as slashes"
IN_CASE = "names are read in the case of the files"
WITH_SUFFIX = "the suffix of the file is added"
DEEPER = "files are found in folders below the table"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a cell leads to.

    Attributes:
        file: where the image lies, or would lie.
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
        prefix: with what paths begin that stands for this folder: its place on another machine, or its own name.
    """

    folder: Path
    prefix: str = ""

    @cached_property
    def _tree(self) -> Tree:
        return Tree(self.folder)

    def find(self, cell: str, prefer: Sequence[str] = ()) -> Found:
        """The file that a cell means; where nothing or more than one thing fits, a reason.

        Args:
            cell: as the table has it.
            prefer: names of folders below the table's that come before others, see `Tree.deeper`.
        """
        exact = self.folder / cell
        if ADDRESS.match(cell):
            return Found(file=exact, reason=ONLINE)
        for text in (cell, cell.strip()):
            if _there(self.folder / text):
                return Found(file=self.folder / text)
        path = cell.strip().replace("\\", "/")
        changed = SLASHES if "\\" in cell else ""
        if _there(self.folder / path):
            return Found(file=self.folder / path, changed=changed)
        if self.prefix and path.startswith(self.prefix):
            path, prefer = path.removeprefix(self.prefix).lstrip("/"), ()
            changed = f"{self.prefix!r} is read as the folder of the table"
        parts = PurePosixPath(path).parts
        if not parts or ".." in parts or ABSOLUTE.match(path):
            return Found(file=exact, reason=FOLDER if _is_folder(exact) else ABSENT)
        return self._searched(exact, parts, changed, prefer)

    def _searched(self, exact: Path, parts: Sequence[str], changed: str, prefer: Sequence[str]) -> Found:
        files, how = self._tree.below(self.folder, parts), WITH_SUFFIX
        if files and alike(files[0].name, parts[-1]):
            how = IN_CASE
        if not files and not changed.startswith("'"):  # without its prefix a path says all of its folders
            files, how = self._tree.deeper(parts, prefer), DEEPER
        if not files:
            other = self._tree.other_suffix(parts)
            there = f"no such file, but {self._shown(other[0])!r}" if other else ABSENT
            return Found(file=exact, reason=FOLDER if _is_folder(exact) else there)
        if len(files) > 1:
            return Found(file=exact, reason=f"it may be {self._shown(files[0])!r} or {self._shown(files[1])!r}")
        return Found(file=files[0], changed=changed or how)

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def learn_prefix(self, cells: Sequence[str]) -> None:
        """Set `prefix` if most paths lead to files here without a beginning that can only stand for this folder.

        Of absolute paths that is any they share, the shortest of those that lead most of them here; of others, the
        name of the folder, perhaps with those above it.
        """
        paths = [cell.strip().replace("\\", "/") for cell in cells]
        if not paths or any(_there(self.folder / path) for path in paths):
            return
        first, *others = (path.rpartition("/")[0] + "/" for path in paths)
        shared = [first[: sign.end()] for sign in re.finditer("/", first)]
        shared = [start for start in shared if all(other.startswith(start) for other in others)]
        if not all(map(ABSOLUTE.match, paths)):
            own = "/" + "/".join(self.folder.resolve().parts[1:]) + "/"
            shared = [start for start in shared if own.endswith("/" + start.removeprefix("./"))]
        hits = {start: sum(self._leads(path.removeprefix(start)) for path in paths) for start in shared}
        best = max(hits, key=lambda start: hits[start], default="")
        self.prefix = best if best and 2 * hits[best] >= len(paths) else ""

    def _leads(self, path: str) -> bool:
        parts = PurePosixPath(path.lstrip("/")).parts
        return bool(parts) and ".." not in parts and bool(self._tree.below(self.folder, parts))


def _there(path: Path) -> bool:
    """Whether something lies there that is not a folder; a link to nothing does."""
    try:
        return os.path.lexists(path) and not path.is_dir()
    except (OSError, ValueError):  # a name too long for the file system
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
