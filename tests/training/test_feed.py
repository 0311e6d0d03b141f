"""Which image comes when does not depend on where one begins, nor on who makes the batches."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from triscale.data.feed.in_memory import Augmentation, to_tensor, train_batches
from triscale.data.feed.on_gpu import ImagesOnGpu
from triscale.training import PictureFeed

COLOURS = {"mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}


def feed(n: int = 23, batch: int = 4, workers: int = 0) -> PictureFeed:
    images = np.random.default_rng(0).integers(0, 256, (n, 9, 8, 3), dtype=np.uint8)
    return PictureFeed(
        images=images, labels=np.arange(n), indices=np.arange(0, n, 1), batch=batch, seed=3,
        augmentation=Augmentation(), workers=workers, **COLOURS,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("first", [0, 2, 5])
def test_an_epoch_goes_on_in_its_middle_with_the_same_batches(first: int, workers: int) -> None:
    whole, rest = list(feed().batches(1)), list(feed(workers=workers).batches(1, first))
    assert len(rest) == 5 - first
    for (a, b), (c, d) in zip(whole[first:], rest, strict=True):
        assert torch.equal(a, c)
        assert torch.equal(b, d)


def test_the_batches_are_those_of_earlier_versions() -> None:
    """A committed study saw these images in this order."""
    one = feed()
    old = train_batches(one.images, one.labels, one.indices, batch=4, seed=3, epoch=2, augmentation=one.augmentation,
                        **COLOURS)  # fmt: skip
    for (a, b), (c, d) in zip(one.batches(2), old, strict=True):
        assert torch.equal(a, c)
        assert torch.equal(b, d)


@pytest.mark.parametrize(("n", "steps", "left_out"), [(23, 5, 3), (9, 2, 1), (4, 1, 0), (3, 1, 0)])
def test_a_last_batch_of_few_is_left_out_and_counted(n: int, steps: int, left_out: int) -> None:
    """One image over would stop a small network with batch norm."""
    one = feed(n)
    assert (one.steps, one.left_out) == (steps, left_out)
    assert {len(labels) for _, labels in one.batches(0)} == {min(n, 4)}


def test_names_are_those_of_the_batch() -> None:
    one = feed()
    for step, (_, labels) in enumerate(one.batches(1)):
        assert one.names(1, step) == [f"image {label}" for label in labels.tolist()]


Colours = tuple[tuple[float, ...], tuple[float, ...]]
GREY: Colours = ((0.45,), (0.22,))
IMAGENET: Colours = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.mark.parametrize("colours", [GREY, IMAGENET])
@pytest.mark.parametrize("augmentation", [Augmentation(), Augmentation(flip=False, shift=0.9), Augmentation(shift=0.0)])
def test_batches_that_are_made_where_the_images_lie_are_equal_bit_for_bit(
    colours: Colours, augmentation: Augmentation
) -> None:
    """On any device: `tests/gpu` says so of a GPU."""
    require_equal_batches(torch.device("cpu"), colours, augmentation)


def require_equal_batches(device: torch.device, colours: Colours, augmentation: Augmentation) -> None:
    """Of two epochs, from different steps on, and of a validation."""
    made = replace(feed(97, 8), augmentation=augmentation, mean=colours[0], std=colours[1])
    there = ImagesOnGpu.of(made.images, made.labels, made.mean, made.std, device)
    moved = replace(made, on_gpu=there)
    for epoch, first in ((0, 0), (3, 5)):
        for (a, b), (c, d) in zip(made.batches(epoch, first), moved.batches(epoch, first), strict=True):
            assert c.device == device
            assert c.is_contiguous(memory_format=torch.channels_last)
            assert torch.equal(a, c.cpu())
            assert torch.equal(b, d.cpu())
    some = np.array([5, 2, 90], dtype=np.int64)
    pixels, labels = there.plain(some)
    assert torch.equal(pixels.cpu(), to_tensor(made.images[some], made.mean, made.std))
    assert labels.tolist() == made.labels[some].tolist()
