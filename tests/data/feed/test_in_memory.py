"""Batches: the same order, flips and shifts for every candidate."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from triscale.data.feed.in_memory import Augmentation, augmented, eval_batches, train_batches
from triscale.errors import UsageError

PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1 / 255, 1 / 255, 1 / 255)}
STILL = Augmentation(flip=False, shift=0)


def numbered(n: int, side: int) -> np.ndarray:
    return np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None, None], (n, side, side, 3)).copy()


def epoch(
    images: np.ndarray, *, batch: int = 8, seed: int = 0, number: int = 0, kind: Augmentation = STILL
) -> list[Tensor]:
    n = len(images)
    got = train_batches(
        images, np.arange(n), np.arange(n), batch=batch, seed=seed, epoch=number, augmentation=kind, **PLAIN
    )
    return [labels for _, labels in got]


def test_tensors_hold_the_normalised_picture_in_channels_last_memory() -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 5, 7, 3), dtype=np.uint8)
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)
    pixels, labels = next(eval_batches(images, np.arange(6), np.array([4, 1]), batch=2, mean=mean, std=std))
    wanted = (torch.from_numpy(images[[4, 1]]).double() / 255 - torch.tensor(mean)) / torch.tensor(std)
    torch.testing.assert_close(wanted.permute(0, 3, 1, 2).float(), pixels, atol=1e-5, rtol=1e-5, check_stride=False)
    assert pixels.is_contiguous(memory_format=torch.channels_last)
    assert (torch.float32, torch.int64) == (pixels.dtype, labels.dtype)
    assert labels.tolist() == [4, 1]


def test_labels_follow_their_pictures() -> None:
    images = numbered(50, 4)
    for pixels, labels in train_batches(
        images, np.arange(50), np.arange(50), batch=8, seed=1, epoch=2, augmentation=Augmentation(), **PLAIN
    ):
        torch.testing.assert_close(labels.float(), pixels[:, 0, 0, 0])


def test_order_flips_and_shifts_are_the_same_for_every_resolution() -> None:
    """Augmenting, then doubling the side gives what doubling, then augmenting gives, for shifts by whole pixels."""
    small = np.random.default_rng(0).integers(0, 256, (64, 32, 32, 3), dtype=np.uint8)
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    draws = np.random.default_rng(1).random((64, 3))
    draws[:, 1:] = (np.floor(draws[:, 1:] * 9) / 4) / 2  # whole pixels at a shift of an eighth of 32
    order = np.random.default_rng(2).permutation(64)
    got = augmented(small, order, draws, Augmentation())
    np.testing.assert_array_equal(
        got.repeat(2, axis=1).repeat(2, axis=2), augmented(large, order, draws, Augmentation())
    )
    assert not np.array_equal(small[order], got)
    for first, second in zip(epoch(numbered(40, 8)), epoch(numbered(40, 16)), strict=True):
        assert first.tolist() == second.tolist()


def test_an_epoch_repeats_itself_and_no_other() -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)

    def pixels(seed: int, number: int) -> Tensor:
        got = train_batches(
            images, np.zeros(40, np.int64), np.arange(40), batch=8, seed=seed, epoch=number,
            augmentation=Augmentation(), **PLAIN,
        )  # fmt: skip
        return torch.cat([some for some, _ in got])

    torch.testing.assert_close(pixels(3, 5), pixels(3, 5), rtol=0, atol=0)
    assert not torch.equal(pixels(3, 5), pixels(3, 6))
    assert not torch.equal(pixels(3, 5), pixels(4, 5))


def test_the_order_is_shuffled_anew_in_every_epoch() -> None:
    orders = [torch.cat(epoch(numbered(40, 4), number=number)).tolist() for number in (0, 1)]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(40))
    assert orders[0] != orders[1]
    assert orders[0] != list(range(40))


def test_a_picture_is_drawn_for_alike_whatever_others_take_part() -> None:
    """The order among the chosen, their flips and their shifts are those they have among all."""
    images = np.random.default_rng(0).integers(0, 256, (60, 16, 16, 3), dtype=np.uint8)
    pixels, labels = {}, {}
    for kind, chosen in (("all", np.arange(60)), ("some", np.arange(0, 60, 3))):
        pixels[kind], labels[kind] = next(
            train_batches(
                images, np.arange(60), chosen, batch=60, seed=0, epoch=0, augmentation=Augmentation(), **PLAIN
            )
        )
    among = labels["all"] % 3 == 0
    assert labels["all"][among].tolist() == labels["some"].tolist()
    torch.testing.assert_close(pixels["all"][among], pixels["some"], rtol=0, atol=0, check_stride=False)


@pytest.mark.parametrize(("n", "sizes"), [(20, [8, 8]), (24, [8, 8, 8]), (8, [8]), (5, [5])])
def test_training_batches_are_whole_unless_there_is_only_one(n: int, sizes: list[int]) -> None:
    assert sizes == [len(labels) for labels in epoch(numbered(n, 4))]


def test_evaluation_covers_all_in_order() -> None:
    got = [labels for _, labels in eval_batches(numbered(20, 4), np.arange(20), np.arange(3, 20), batch=8, **PLAIN)]
    assert list(range(3, 20)) == torch.cat(got).tolist()


def test_flips_are_half_and_shifts_stay_within_their_fraction() -> None:
    ramp = np.broadcast_to(np.arange(100, dtype=np.uint8)[:, None], (1, 100, 100, 3)).copy()
    draws = np.random.default_rng(0).random((2000, 3))
    got = augmented(ramp, np.zeros(2000, np.int64), draws, Augmentation(shift=0.1))
    flipped = got[:, 50, 60, 0].astype(int) - got[:, 50, 40, 0] < 0
    assert 0.45 < flipped.mean() < 0.55
    shift = np.where(flipped, 49, 50) - got[:, 50, 50, 0].astype(int)
    assert (shift.min(), shift.max()) == (-10, 10)
    still = augmented(ramp, np.zeros(2, np.int64), draws[:2], STILL)
    np.testing.assert_array_equal(ramp.repeat(2, axis=0), still)


def test_what_enters_from_outside_mirrors_the_edge() -> None:
    picture = np.arange(8, dtype=np.uint8).reshape(1, 8, 1, 1).repeat(8, axis=2).repeat(3, axis=3)
    down = augmented(picture, np.zeros(1, np.int64), np.array([[0.9, 1 - 1e-9, 0.5]]), Augmentation(shift=0.25))
    assert down[0, :, 0, 0].tolist() == [1, 0, 0, 1, 2, 3, 4, 5]


def test_a_read_only_map_raises_no_warning(tmp_path: Path) -> None:
    np.save(tmp_path / "pictures.npy", numbered(16, 8))
    images = np.load(tmp_path / "pictures.npy", mmap_mode="r")
    labels = np.arange(16)
    labels.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(eval_batches(images, labels, np.arange(16), batch=8, **PLAIN))
        list(train_batches(
            images, labels, np.arange(16), batch=8, seed=0, epoch=0, augmentation=STILL, **PLAIN
        ))  # fmt: skip


def test_a_shift_beyond_the_picture_is_refused() -> None:
    with pytest.raises(UsageError, match="shift is"):
        Augmentation(shift=1.0)
