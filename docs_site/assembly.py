"""The sources of the site in one folder: pages of the repository, pages made from the code, and the settings."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from docs_site import command_pages, fact_pages, python_page
from docs_site.markdown import Site, for_site
from docs_site.navigation import HOME, navigation
from docs_site.notebooks import as_markdown
from docs_site.sources import ROOT, pages, pictures

MADE: dict[str, Callable[[], str]] = {
    "reference/commands/index.md": command_pages.index,
    "reference/python.md": python_page.python_page,
    "reference/exit-codes.md": fact_pages.exit_codes_page,
    "reference/networks.md": fact_pages.networks_page,
    "evidence/tables.md": fact_pages.paper_tables_page,
}
"""Pages that are made from the code, by their place in the site."""

WIDE = "---\nhide:\n  - navigation\n---\n\n"
"""What makes a page as wide as it can be, without the list of pages beside it."""


def made_pages() -> dict[PurePosixPath, str]:
    """The text of every page that is made from the code."""
    found = {PurePosixPath(place): make() for place, make in MADE.items()}
    return found | {one.page: one.markdown() for one in command_pages.commands()}


def assemble(folder: Path, root: Path = ROOT) -> Path:
    """Write the sources of the site below a folder, which is emptied first, and return its settings.

    Raises:
        BrokenLinkError: a link of a page leads to nothing.
    """
    shutil.rmtree(folder, ignore_errors=True)
    texts, drawn = made_pages(), pictures(root)
    copied = pages(root)
    site = Site(copied | drawn, lambda path: (root / path).exists())  # made pages are none that a repository can show
    texts |= {place: for_site(_markdown(root / path), path, site) for path, place in copied.items()}
    texts[PurePosixPath(HOME)] = WIDE + texts[PurePosixPath(HOME)]
    _write({PurePosixPath("pages") / place: text.encode() for place, text in texts.items()}, folder)
    _write({PurePosixPath("pages") / place: (root / path).read_bytes() for path, place in drawn.items()}, folder)
    settings = json.loads((root / "docs_site" / "settings.json").read_text(encoding="utf-8"))
    settings |= {"docs_dir": "pages", "site_dir": "site", "nav": navigation(texts)}
    _write({PurePosixPath("mkdocs.yml"): json.dumps(settings, indent=2).encode()}, folder)  # JSON is YAML
    shutil.copytree(root / "docs_site" / "assets", folder / "pages" / "assets")
    return folder / "mkdocs.yml"


def _markdown(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return as_markdown(text) if path.suffix == ".ipynb" else text


def _write(files: Mapping[PurePosixPath, bytes], folder: Path) -> None:
    for place, content in files.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
