"""Whatever lies in image folders: `check` and training come to the same verdict, and nothing hostile gets through."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data import hostile
from tests.data.conftest import Paint
from triscale.data import CheckOptions, open_data
from triscale.data.checks.verdict import verdict
from triscale.data.transforms.random_crop import cut
from triscale.errors import InputError

CASES = [
    *(pytest.param("left out", name, id=f"left out: {name}") for name in hostile.LEFT_OUT),
    *(pytest.param("taken", name, id=f"taken: {name}") for name in hostile.TAKEN),
    *(pytest.param("refused", name, id=f"rejected: {name}") for name in hostile.REFUSED),
    *(pytest.param("warned", name, id=f"warned: {name}") for name in hostile.WARNED),
]
MEGABYTE = 2**20


@pytest.fixture
def dogs(tmp_path: Path, paint: Paint) -> Path:
    """The folder `train/dog` of a set that is sound so far: 4 training and 2 test images a class."""
    for split, count in (("train", 4), ("test", 2)):
        for name in ("cat", "dog"):
            for index in range(count):
                paint(tmp_path / "set" / split / name / f"{index}.png", size=(24, 24))
    return tmp_path / "set" / "train" / "dog"


def resident(field: str) -> int:
    """Bytes that the process holds (`VmRSS`), or held at most since it was last asked (`VmHWM`)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(f"{field}:")[2].split()[0]) * 1024


@contextmanager
def growing_at_most(limit: int) -> Iterator[None]:
    """The process never holds more than `limit` bytes more than before."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:  # not Linux, or not allowed
        yield
        return
    before = resident("VmRSS")
    yield
    assert resident("VmHWM") - before <= limit


@pytest.mark.parametrize(("outcome", "name"), CASES)
def test_every_case_is_left_out_taken_refused_or_warned_of_as_the_table_says(
    dogs: Path, cache: Path, outcome: str, name: str
) -> None:
    table, look = OUTCOMES[outcome]
    make, wanted = table[name]
    make(dogs)
    with growing_at_most(50 * MEGABYTE):
        look(dogs, cache, wanted)


def left_out(dogs: Path, cache: Path, reason: str) -> None:
    """Skipped, counted and named, in JSON too; training goes on with the others; strict stops."""
    source = open_data(dogs.parents[1], cache=cache)
    assert source.skipped == 1
    found = json.loads(json.dumps(verdict(source)))["findings"][0]
    assert (found["kind"], found["count"]) == ("unreadable", 1)
    assert reason in found["examples"][0]
    assert "'train/dog/" in found["examples"][0]
    assert np.bincount(source.labels("train")).tolist() == [4, 4]
    assert source.pictures("train", (8, 8)).shape == (8, 8, 8, 3)
    with pytest.raises(InputError, match="left out"):
        open_data(dogs.parents[1], cache=cache, policy=CheckOptions(strict=True))


def taken(dogs: Path, cache: Path, level: float | None) -> None:
    """One more dog, upright, of the right brightness, under its own name, which JSON keeps."""
    source = open_data(dogs.parents[1], cache=cache)
    part, sound = source.parts["train"], {f"train/{name}/{index}.png" for name in ("cat", "dog") for index in range(4)}
    added = [index for index in range(len(part.labels)) if part.name(index) not in sound]
    assert (source.skipped, len(added), part.labels[added[0]]) == (0, 1, 1)
    name = part.name(added[0])
    assert json.loads(json.dumps(name)) == name
    assert dogs.parents[1].joinpath(name).is_file()
    assert all(sign.isprintable() for note in source.notes for sign in note)
    picture = source.pictures("train", (36, 48))[added[0]].astype(float)
    if level is not None:
        assert abs(picture.mean() - level) <= 2
    else:
        wanted = np.asarray(hostile.scene()).astype(float).reshape(36, 2, 48, 2, 3).mean(axis=(1, 3))
        assert np.abs(picture - wanted).mean() <= 4


def test_what_systems_leave_in_folders_is_no_part_of_the_data(dogs: Path, cache: Path) -> None:
    hostile.hidden(dogs)
    source = open_data(dogs.parents[1], cache=cache)
    assert (source.classes, source.skipped, source.findings) == (("cat", "dog"), 0, ())
    assert np.bincount(source.labels("train")).tolist() == [4, 4]


def refused(dogs: Path, cache: Path, message: str) -> None:
    """At most three lines that name what is wrong."""
    with pytest.raises(InputError, match=message) as caught:
        open_data(dogs.parents[1], cache=cache)
    assert str(caught.value).count("\n") < 3


def warned(dogs: Path, cache: Path, kind: str) -> None:
    """Taken all the same, with one finding that counts and names; a strict check stops for the serious ones."""
    source = open_data(dogs.parents[1], cache=cache)
    found = [one for one in source.findings if one.kind == kind]
    assert [one.count for one in found] == [1]
    assert len(found[0].examples) == 1
    assert found[0].text in source.notes
    assert len(source.pictures("train", (8, 8))) >= 8
    if found[0].serious:
        with pytest.raises(InputError):
            open_data(dogs.parents[1], cache=cache, policy=CheckOptions(strict=True))


OUTCOMES: dict[str, tuple[dict[str, tuple[hostile.Make, Any]], Callable[[Path, Path, Any], None]]] = {
    "left out": (hostile.LEFT_OUT, left_out),
    "taken": (hostile.TAKEN, taken),
    "refused": (hostile.REFUSED, refused),
    "warned": (hostile.WARNED, warned),
}


def test_the_table_is_small_and_whole(tmp_path: Path) -> None:
    """Some fifty cases of less than three megabytes together."""
    total = 0
    for name, (make, _) in (hostile.LEFT_OUT | hostile.TAKEN).items():
        folder = tmp_path / name / "train" / "dog"
        folder.mkdir(parents=True)
        make(folder)
        total += sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    assert total < 3 * MEGABYTE
    assert len(CASES) >= 45


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody, whom a mode of 000 stops")
def test_what_may_not_be_read_is_told_at_the_scan(dogs: Path) -> None:
    """A file and a folder that are closed to the user; neither ends the run."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "set"
        shutil.copytree(dogs.parents[1], root)
        (root / "train" / "dog" / "deeper").mkdir()
        Path(place).chmod(0o755)
        for closed in (root / "train" / "dog" / "1.png", root / "train" / "dog" / "deeper"):
            closed.chmod(0)
        (Path(place) / "cache").mkdir()
        (Path(place) / "cache").chmod(0o777)
        os.seteuid(65534)
        try:
            source = open_data(root, cache=Path(place) / "cache")
        finally:
            os.seteuid(0)
    assert source.skipped == 2
    assert all(
        "permission denied" in example or "not a regular file" in example for example in source.findings[0].examples
    )


def test_links_that_lead_out_are_taken_where_that_is_wanted(dogs: Path, cache: Path) -> None:
    hostile.outside(dogs)
    hostile.outside_class(dogs)
    source = open_data(dogs.parents[1], cache=cache, policy=CheckOptions(follow_links=True))
    assert source.classes == ("cat", "dog", "elsewhere")
    assert np.bincount(source.labels("train")).tolist() == [4, 5, 5]


def test_empty_classes_are_left_out_where_that_is_wanted(dogs: Path, cache: Path) -> None:
    """The labels close up, in both splits."""
    (dogs.parent / "bird").mkdir()
    source = open_data(dogs.parents[1], cache=cache, policy=CheckOptions(allow_empty=True))
    assert source.classes == ("cat", "dog")
    assert np.bincount(source.labels("train")).tolist() == [4, 4]
    assert np.bincount(source.labels("test")).tolist() == [2, 2]
    assert [one.kind for one in source.findings] == ["empty"]


def test_what_is_cut_off_is_grey_where_it_ends_only_where_that_is_wanted(dogs: Path, cache: Path) -> None:
    """A JPEG; other formats stay out. It is named, has a fingerprint of its own, and reaches the loader."""
    hostile.cut("cut.jpg")(dogs)
    hostile.cut("cut.png")(dogs)
    plain = open_data(dogs.parents[1], cache=cache)
    source = open_data(dogs.parents[1], cache=cache, policy=CheckOptions(allow_truncated=True))
    assert (plain.skipped, source.skipped) == (2, 1)
    assert source.fingerprint != plain.fingerprint
    found = {one.kind: one for one in source.findings}
    assert found["truncated"].examples == ("'train/dog/cut.jpg'",)
    assert "cut.png" in found["unreadable"].examples[0]
    part = source.parts["train"]
    index = next(index for index in range(9) if part.name(index) == "train/dog/cut.jpg")
    picture = source.pictures("train", (60, 60))[index]
    assert picture[:10].std() > 30
    assert (picture[-10:] == 128).all()
    with part.opened(index) as image:
        pixels = cut(image, (0, 0, 80, 60), (60, 80), "bicubic").numpy()
    assert pixels[:10].std() > 30
    assert (pixels[-10:] == 128).all()


def test_a_scan_tells_how_much_is_done(dogs: Path, cache: Path) -> None:
    """Every file is read and then decoded; a second time the verdicts are remembered."""
    told: list[tuple[int, int]] = []
    open_data(dogs.parents[1], cache=cache, progress=lambda *one: told.append(one))
    assert told == [(done, 24) for done in range(1, 25)]
    told.clear()
    open_data(dogs.parents[1], cache=cache, progress=lambda *one: told.append(one))
    assert told == [(done, 24) for done in range(1, 13)]
