"""A page of the repository as a page of the site: its links lead to pages of the site, its lists are lists."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import normpath, relpath

LINK = re.compile(r"(?P<open>!?\[(?P<words>(?:[^\[\]]|\[[^\]]*\])*)\]\()(?P<target>[^()\s]+)\)")
ATTRIBUTE = re.compile(r"(?P<open>\b(?:src|srcset|href)=\")(?P<target>[^\"]+)\"")
FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
ITEM = re.compile(r"^\s*([-*]|\d+\.) ")
OUTSIDE = ("http://", "https://", "mailto:", "#")


@dataclass(frozen=True)
class Site:
    """What links can lead to.

    Attributes:
        places: the place in the site of every page and figure, by its path in the repository.
        exists: whether the repository has a path.
    """

    places: Mapping[PurePosixPath, PurePosixPath]
    exists: Callable[[PurePosixPath], bool]


class BrokenLinkError(ValueError):
    """A link to a file that the repository does not have."""


def for_site(text: str, page: PurePosixPath, site: Site) -> str:
    """The text of a page of the repository, for the site.

    A link to a file that the site does not have, such as a record, becomes the name of that file.

    Raises:
        BrokenLinkError: a link leads to nothing.
    """
    lines = [line if code else _relinked(line, page, site) for code, line in blocks_apart(text)]
    return "\n".join(_spaced(lines)) + "\n"


def blocks_apart(text: str) -> Iterator[tuple[bool, str]]:
    """Every line, and whether it belongs to a fenced block of code."""
    fence = ""
    for line in text.splitlines():
        found = FENCE.match(line)
        inside = bool(fence)
        if found and not fence:
            fence = found[1]
        elif found and found[1].startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
        yield inside or bool(fence), line


def _relinked(line: str, page: PurePosixPath, site: Site) -> str:
    parts = re.split(r"(`[^`]*`(?!\]))", line)  # code in a line is left as it is, unless it is what a link says
    linked: Callable[[re.Match[str]], str] = lambda found: _link(found, page, site)  # noqa: E731
    return "".join(part if part.startswith("`") else ATTRIBUTE.sub(linked, LINK.sub(linked, part)) for part in parts)


def _link(found: re.Match[str], page: PurePosixPath, site: Site) -> str:
    target, mark, anchor = found["target"].partition("#")
    if found["target"].startswith(OUTSIDE):
        return found[0]
    wanted = PurePosixPath(normpath(page.parent / target))
    there = site.places.get(wanted) or site.places.get(wanted / "README.md")
    end = found[0][len(found["open"]) + len(found["target"]) :]
    if there is not None and "words" not in found.groupdict():
        there = there.with_suffix(".html") if there.suffix == ".md" else there  # MkDocs leaves HTML as it is
    if there is not None:
        return f"{found['open']}{relpath(there, site.places[page].parent)}{mark}{anchor}{end}"
    if not site.exists(wanted):
        raise BrokenLinkError(f"{page}: {found['target']} leads to no file")
    words = found.groupdict().get("words")
    return f"{words} (`{wanted}`)" if words and words.strip("`") not in str(wanted) else f"`{wanted}`"


def _spaced(lines: list[str]) -> Iterator[str]:
    """An empty line before a list that follows a sentence, without which Python-Markdown sees no list."""
    before, code = "", False
    for line in lines:
        code ^= bool(FENCE.match(line))
        if not code and ITEM.match(line) and before.strip() and not ITEM.match(before) and not before.startswith(" "):
            yield ""
        yield line
        before = line
