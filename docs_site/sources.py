"""Which file of the repository becomes which page of the site."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
BESIDE = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "contributing/architecture.md",
    "CONTRIBUTING.md": "contributing/contributing.md",
    "CHANGELOG.md": "contributing/changelog.md",
    "SECURITY.md": "contributing/security.md",
}
"""Pages that lie beside the sources, where people look for them in a repository."""
PICTURES = (".svg", ".png", ".webp")


def pages(root: Path = ROOT) -> dict[PurePosixPath, PurePosixPath]:
    """The path of every page in the repository, and its path in the site."""
    found = {PurePosixPath(name): PurePosixPath(place) for name, place in BESIDE.items() if (root / name).exists()}
    found |= {path: path.relative_to("docs") for path in _below(root, "docs", "*.md")}
    found |= {path: path.relative_to("docs").with_suffix(".md") for path in _below(root, "docs", "*.ipynb")}
    return found | {path: _result(path) for path in _below(root, "results", "README.md")}


def pictures(root: Path = ROOT) -> dict[PurePosixPath, PurePosixPath]:
    """The same for the figures that pages show."""
    found = {path: path.relative_to("docs") for kind in PICTURES for path in _below(root, "docs", f"*{kind}")}
    return found | {path: path for kind in PICTURES for path in _below(root, "results", f"*{kind}")}


def _below(root: Path, folder: str, pattern: str) -> Iterator[PurePosixPath]:
    for path in sorted((root / folder).rglob(pattern)):
        yield PurePosixPath(path.relative_to(root).as_posix())


def _result(path: PurePosixPath) -> PurePosixPath:
    """`results/tables/cifar10/README.md` is `results/tables/cifar10.md`."""
    return path.parent.with_suffix(".md")
