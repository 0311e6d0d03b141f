"""mixup and CutMix: what is mixed, how much of it, and that it depends on nothing but seed and step."""

import pytest
import torch
from torch import Tensor

from triscale.training.learning.mix import mixed


def batch() -> tuple[Tensor, Tensor]:
    """Image k is k everywhere."""
    labels = torch.arange(6)
    return labels[:, None, None, None].expand(6, 3, 8, 10).float(), labels


def test_mixup_is_the_weighted_sum_of_a_batch_and_its_reverse() -> None:
    pictures, labels = batch()
    found = mixed(pictures, labels, 0.4, 0.0, 1, 2)
    assert torch.equal(found.others, labels.flip(0))
    expected = found.share * pictures + (1 - found.share) * pictures.flip(0)
    torch.testing.assert_close(found.pictures, expected)


def test_cutmix_pastes_a_box_and_tells_its_share() -> None:
    pictures, labels = batch()
    for step in range(20):
        found = mixed(pictures, labels, 0.0, 1.0, 0, step)
        foreign = found.pictures[0] == 5
        assert set(found.pictures[0].flatten().tolist()) <= {0.0, 5.0}
        assert foreign.float().mean().item() == pytest.approx(1 - found.share), step


def test_what_is_drawn_is_a_function_of_seed_and_step() -> None:
    pictures, labels = batch()
    shares = {(seed, step): mixed(pictures, labels, 0.2, 1.0, seed, step).share for seed in (0, 1) for step in (0, 1)}
    torch.manual_seed(99)
    again = {(seed, step): mixed(pictures, labels, 0.2, 1.0, seed, step).share for seed in (1, 0) for step in (1, 0)}
    assert shares == again
    assert len(set(shares.values())) == 4


def test_nothing_is_mixed_unless_it_is_asked_for() -> None:
    pictures, labels = batch()
    found = mixed(pictures, labels, 0.0, 0.0, 0, 0)
    assert found.pictures is pictures
    assert found.share == 1.0
