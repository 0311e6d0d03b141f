"""Whether a built site holds together: every link and anchor leads somewhere, and nothing is fetched from a network."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from posixpath import normpath
from urllib.parse import unquote, urlsplit

FETCHED = {("script", "src"), ("img", "src"), ("source", "srcset"), ("iframe", "src"), ("link", "href")}
"""What a browser loads by itself; a link that a reader follows may lead out."""
NOT_FETCHED = {"canonical", "next", "prev", "alternate", "author"}


@dataclass
class Page(HTMLParser):
    """What a page of HTML refers to, and the names that it can be referred to by."""

    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links, the files and the anchors of one tag."""
        given = {name: value or "" for name, value in attrs}
        self.names |= {given[name] for name in ("id", "name") if given.get(name)}
        for name in ("href", "src", "srcset"):
            if name in given and not (tag == "link" and set(given.get("rel", "").split()) & NOT_FETCHED):
                (self.fetched if (tag, name) in FETCHED else self.links).append(given[name])


def faults(site: Path) -> list[str]:
    """Every link that leads nowhere and every file that would be fetched from a network, with its page."""
    found = {path.relative_to(site).as_posix(): _read(path) for path in sorted(site.rglob("*.html"))}
    return [
        f"{name}: {fault}"
        for name, page in found.items()
        for target in [*page.links, *page.fetched]
        if (fault := _fault(target, name, site, found, fetched=target in page.fetched))
    ]


def _read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _fault(target: str, name: str, site: Path, pages: dict[str, Page], *, fetched: bool) -> str:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return f"{target} is fetched from a network" if fetched and parts.scheme != "data" else ""
    if target.startswith("/") or name == "404.html":
        return "" if name == "404.html" else f"{target} is absolute, so it does not open from disk"
    wanted = normpath(Path(name).parent.as_posix() + "/" + unquote(parts.path)) if parts.path else name
    if not (site / wanted).is_file():
        return f"{target} leads to no file"
    if parts.fragment and wanted in pages and unquote(parts.fragment) not in pages[wanted].names | {"__top"}:
        return f"{target} leads to no anchor of {wanted}"
    return ""
