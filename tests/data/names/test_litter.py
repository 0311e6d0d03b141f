"""What operating systems, file servers and archives leave among images is neither a class nor an image."""

import io
import shutil
import tarfile
from pathlib import Path

import pytest

from triscale.cli.options.picture_files import run_and_pictures
from triscale.data import open_data, open_split

FOLDERS = [
    "@eaDir", "@Recycle", "#recycle", "#snapshot", "__MACOSX", "$RECYCLE.BIN", "System Volume Information",
    "lost+found", ".Trash-1000", ".Spotlight-V100", ".fseventsd", ".AppleDouble", ".ipynb_checkpoints", ".thumbnails",
    ".sync", ".stfolder", "__pycache__", "Network Trash Folder", "@Recently-Snapshot", "RECYCLER", ".git",
]  # fmt: skip
FILES = [
    "Thumbs.db", "ehthumbs.db", "desktop.ini", ".DS_Store", "._0.png", "~$notes.docx", "Icon\r",
    "Thumbs.db:encryptable", "Picasa.ini", ".picasa.ini",
]  # fmt: skip


def littered(root: Path) -> None:
    """Every kind of litter in every folder; the folders hold readable images, as thumbnails are."""
    picture = next(root.rglob("*.png")).read_bytes()
    for place in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        for name in FILES:
            (place / name).write_bytes(b"litter")
        for name in FOLDERS:
            (place / name / "0.png").mkdir(parents=True)
            (place / name / "0.png" / "SYNOPHOTO_THUMB_M.png").write_bytes(picture)


@pytest.mark.parametrize("inner", ["", "train"])
def test_litter_changes_nothing(folders: Path, cache: Path, inner: str) -> None:
    """With split folders, and where the class folders lie at the root."""
    clean = open_data(folders / inner, cache=cache)
    littered(folders)
    source = open_data(folders / inner, cache=cache)
    assert (source.fingerprint, source.classes, source.skipped) == (clean.fingerprint, ("cat", "dog"), 0)
    held = open_split(folders / inner, cache=cache)
    assert (held.skipped, len(held.part.labels)) == (0, 12 if inner else 6)


def test_a_split_that_holds_litter_only_is_no_split(folders: Path, cache: Path) -> None:
    shutil.rmtree(folders / "test" / "cat")
    shutil.rmtree(folders / "test" / "dog")
    (folders / "test" / "@eaDir").mkdir()
    (folders / "train").rename(folders / "val")
    assert open_split(folders, cache=cache).split == "val"


def test_litter_in_shards_is_passed_over(folders: Path, cache: Path, tmp_path: Path) -> None:
    root = tmp_path / "shards"
    root.mkdir()
    with tarfile.open(root / "train.tar", "w") as archive:
        for file in sorted((folders / "train").rglob("*.png")):
            key = f"{file.parent.name}{file.stem}"
            content = (file.read_bytes(), file.parent.name.encode())
            for place in ("", "__MACOSX/", "@eaDir/"):
                for name, some in zip((f"{place}{key}.png", f"{place}{key}.cls"), content, strict=True):
                    info = tarfile.TarInfo(name)
                    info.size = len(some)
                    archive.addfile(info, io.BytesIO(some))
    (root / "._train.tar").write_bytes(b"no tar")
    source = open_data(root, cache=cache)
    assert (len(source.labels("train")) + len(source.labels("test")), source.skipped) == (12, 0)


def test_a_command_that_takes_files_passes_over_litter_unless_it_is_named(folders: Path) -> None:
    cat = folders / "train" / "cat"
    before = run_and_pictures("predict", ["RUN", str(cat)], named=False)[1]
    littered(cat)
    assert run_and_pictures("predict", ["RUN", str(cat)], named=False)[1] == before
    assert run_and_pictures("predict", ["RUN", str(cat / "**" / "*.png")], named=False)[1] == before
    thumbs = cat / "@eaDir"
    assert len(run_and_pictures("predict", ["RUN", str(thumbs)], named=False)[1]) == 1
    (cat / ".mine.png").write_bytes((cat / "0.png").read_bytes())
    assert run_and_pictures("predict", ["RUN", str(cat / ".m*.png")], named=False)[1] == [cat / ".mine.png"]
