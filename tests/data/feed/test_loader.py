"""The loader: the same batches from any number of processes and from any step on; what breaks is named."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from triscale.data import open_data
from triscale.data.decode.jpeg_part import part_decoder
from triscale.data.feed.loader import Loader
from triscale.data.transforms.train_augment import PhotoAugmentation
from triscale.errors import InputError, StorageError, UsageError
from triscale.spec import IMAGENET

ALL = PhotoAugmentation(policy="randaugment", jitter=0.2, erase=0.3)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """23 small photos of two classes, and four of the test."""
    root, draws = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    for split, count in (("train", 23), ("test", 4)):
        for index in range(count):
            path = root / split / "ab"[index % 2] / f"{index:02d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            coarse = Image.fromarray(draws.integers(0, 256, (5, 6, 3), dtype=np.uint8))
            coarse.resize((90 + index, 70)).save(path, quality=90)
    return root


@pytest.fixture
def loader(photos: Path, cache: Path) -> Loader:
    return a_loader(photos, cache)


def a_loader(photos: Path, cache: Path, **changes: Any) -> Loader:
    part = open_data(photos, cache=cache).parts["train"]
    options: dict[str, Any] = {"batch": 4, "seed": 7, "augmentation": ALL, "size": (33, 40)} | changes
    return Loader(part=part, indices=np.arange(len(part.labels)), how=IMAGENET, **options)


def taken(loader: Loader, epoch: int = 0, first: int = 0) -> list[tuple[bytes, list[int]]]:
    return [(pictures.numpy().tobytes(), labels.tolist()) for pictures, labels in loader.batches(epoch, first)]


def test_a_batch_is_float_pictures_in_channels_last_memory_with_their_labels(loader: Loader) -> None:
    pictures, labels = next(loader.batches(0))
    assert (pictures.shape, pictures.dtype) == ((4, 3, 33, 40), torch.float32)
    assert pictures.is_contiguous(memory_format=torch.channels_last)
    assert labels.tolist() == loader.part.labels[loader.chosen(0, 0)].tolist()
    assert pictures.isfinite().all()


def test_an_epoch_takes_every_picture_once_but_for_the_last_partial_batch(loader: Loader) -> None:
    chosen = np.concatenate([loader.chosen(0, step) for step in range(loader.steps)])
    assert (loader.steps, loader.left_out, len(set(chosen.tolist()))) == (5, 3, 20)
    assert not np.array_equal(chosen[:4], loader.chosen(1, 0))
    assert loader.names(0, 0) == [loader.part.name(index) for index in loader.chosen(0, 0)]
    assert len(list(replace(loader, batch=64).batches(0))) == 1


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(workers=st.sampled_from([0, 1, 3]), epoch=st.integers(0, 2), first=st.integers(0, 5))
def test_batches_are_the_same_from_any_number_of_workers_and_any_step(
    loader: Loader, workers: int, epoch: int, first: int
) -> None:
    whole = taken(loader, epoch)
    assert taken(replace(loader, workers=workers), epoch, first) == whole[first:]


def test_batches_do_not_depend_on_the_decoders_that_are_installed(
    loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    if part_decoder() is None:
        pytest.skip("libjpeg-turbo 3, of the extra `fast`, is not installed")
    fast = taken(loader)
    for room in ("feed.loader", "transforms.random_crop"):
        monkeypatch.setattr(f"triscale.data.{room}.part_decoder", lambda: None)
    monkeypatch.setattr("triscale.data.transforms.random_crop._fast_decoder", lambda: None)
    assert taken(loader) == fast


def test_a_picture_is_augmented_alike_whatever_others_take_part_and_in_whatever_batch(loader: Loader) -> None:
    def by_index(some: Loader) -> dict[int, bytes]:
        return {
            int(index): picture.numpy().tobytes()
            for step, (pictures, _) in enumerate(some.batches(0))
            for index, picture in zip(some.chosen(0, step), pictures, strict=True)
        }

    few, many = by_index(replace(loader, indices=np.arange(0, 23, 2), batch=3)), by_index(replace(loader, batch=1))
    assert few.items() <= many.items()


def test_an_epoch_repeats_itself_and_no_other(loader: Loader) -> None:
    assert taken(loader, 1) == taken(loader, 1)
    assert taken(loader, 1) != taken(loader, 2)
    assert taken(replace(loader, seed=8), 1) != taken(loader, 1)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("harm", ["deleted", "replaced", "emptied"])
def test_a_picture_that_is_gone_is_named_and_the_run_goes_on(
    photos: Path, cache: Path, workers: int, harm: str
) -> None:
    loader = a_loader(photos, cache, workers=workers)
    victim = photos / loader.names(0, 1)[2]
    content, times = victim.read_bytes(), victim.stat()
    try:
        victim.unlink()
        if harm == "replaced":
            Image.new("RGB", (50, 50)).save(victim)
        elif harm == "emptied":
            victim.write_bytes(b"")
        got = list(loader.batches(0))
    finally:
        victim.write_bytes(content)
        os.utime(victim, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert [len(labels) for _, labels in got] == [4] * 5
    assert list(loader.broken) == [str(victim.relative_to(photos))]
    pictures, labels = got[1]
    assert torch.equal(pictures[2], pictures[3])
    assert labels[2] == labels[3]
    assert {"deleted": "no such file", "replaced": "replaced", "emptied": "replaced"}[harm] in next(
        iter(loader.broken.values())
    )


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("step", [0, 2])
def test_more_than_one_in_a_hundred_gone_ends_the_run(
    photos: Path, cache: Path, tmp_path: Path, workers: int, step: int
) -> None:
    """Two of 23, or a whole batch; the message names one."""
    loader = a_loader(photos, cache, workers=workers)
    gone = [photos / name for name in (loader.names(0, 0)[:2] if step == 0 else loader.names(0, step))]
    for path in gone:
        path.rename(tmp_path / path.name)
    try:
        with pytest.raises(InputError, match=r"be read any more, '(train/.*\.jpg)") as caught:
            list(loader.batches(0, step))
    finally:
        for path in gone:
            (tmp_path / path.name).rename(path)
    assert str(caught.value).count("\n") < 3


class Deadly:
    """A part whose eighth image kills the process that reads it, if it is not the test's own."""

    def __init__(self, part: Any) -> None:
        self.part, self.labels, self.parent = part, part.labels, os.getpid()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.part, name)

    def opened(self, index: int) -> Any:
        """The image, or death."""
        if index == 8 and os.getpid() != self.parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.part.opened(index)


def test_a_worker_that_dies_ends_the_job_with_a_clear_error(loader: Loader) -> None:
    deadly = replace(loader, part=Deadly(loader.part), workers=2)
    with pytest.raises(StorageError, match="process that loads images ended"):
        list(deadly.batches(0))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_fault_of_ours_is_neither_a_broken_picture_nor_a_dead_worker(
    photos: Path, cache: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("triscale.data.feed.loader.part_decoder", lambda: None)
    monkeypatch.setattr("triscale.data.transforms.train_augment.cut", fail)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        list(a_loader(photos, cache, workers=workers).batches(0))


def test_workers_go_on_after_a_signal_to_stop_so_that_the_main_process_can_save(loader: Loader) -> None:
    """SIGTERM reaches a whole group of processes; here the workers alone get it."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if not children.exists():
        pytest.skip("no list of child processes on this system")
    before, whole = set(children.read_text().split()), taken(loader)
    batches = replace(loader, workers=2).batches(0)
    got = [next(batches)]
    for child in set(children.read_text().split()) - before:
        os.kill(int(child), signal.SIGTERM)
    got += batches
    assert [(pictures.numpy().tobytes(), labels.tolist()) for pictures, labels in got] == whole


def test_a_loader_that_is_left_in_the_middle_leaves_no_process_behind(loader: Loader) -> None:
    batches = replace(loader, workers=2).batches(0)
    next(batches)
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if not children.exists():
        pytest.skip("no list of child processes on this system")
    started = set(children.read_text().split())
    assert started
    del batches
    assert not started & set(children.read_text().split())


@pytest.mark.parametrize("where", ["flowers:48", "pair"])
def test_every_source_can_be_loaded(where: str, cache: Path, request: pytest.FixtureRequest) -> None:
    source = open_data(request.getfixturevalue("pair") if where == "pair" else where, cache=cache)
    part = source.parts["train"]
    loader = Loader(
        part=part, indices=np.arange(8), size=(16, 16), how=IMAGENET, augmentation=PhotoAugmentation(), batch=8, seed=0
    )
    assert taken(loader) == taken(replace(loader, workers=1))


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"workers": -1}, {"seed": -1}])
def test_what_cannot_be_meant_is_a_usage_error(loader: Loader, wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        replace(loader, **wrong)  # type: ignore[arg-type]
