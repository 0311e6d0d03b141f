"""Deletion and insertion by their closed forms: a probability that is linear in the pixels."""

import numpy as np
import pytest
import torch
from torch import Tensor

from triscale.explanation.focus import area_under, perturbation_curves
from triscale.explanation.focus.perturbation import blurred

SIDES = 6, 9
PIXELS = SIDES[0] * SIDES[1]


@pytest.fixture
def image() -> Tensor:
    return torch.randn(3, *SIDES, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def weights() -> Tensor:
    return torch.randn(3, *SIDES, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def linear(weights: Tensor, images: Tensor) -> Tensor:
    return (weights * images).sum((1, 2, 3))


def by_rank(shares: Tensor, saliency: Tensor) -> Tensor:
    """What each pixel gives, in the order in which it is changed."""
    return shares.flatten()[saliency.flatten().argsort(descending=True)]


def test_deletion_of_a_linear_probability_is_its_closed_form(image: Tensor, weights: Tensor) -> None:
    """The pixel of rank r, from 0, counts until r of n pixels are grey: (r + 1/2) / n of the area is its share."""
    shares, saliency = (weights * image).sum(0), torch.randn(SIDES, dtype=torch.float64)
    deletion, _ = perturbation_curves(lambda x: linear(weights, x), image, saliency, PIXELS)
    ranked = by_rank(shares, saliency)
    expected = float((ranked * (torch.arange(PIXELS) + 0.5)).sum()) / PIXELS

    assert area_under(deletion) == pytest.approx(expected, abs=1e-9)
    assert deletion.values[0] == pytest.approx(float(shares.sum()))
    assert deletion.values[-1] == pytest.approx(0, abs=1e-9)


def test_insertion_of_a_linear_probability_is_its_closed_form(image: Tensor, weights: Tensor) -> None:
    soft = blurred(image)
    saliency = torch.randn(SIDES, dtype=torch.float64)
    _, insertion = perturbation_curves(lambda x: linear(weights, x), image, saliency, PIXELS)
    gained = by_rank((weights * (image - soft)).sum(0), saliency)
    start = float((weights * soft).sum())
    expected = start + float((gained * (PIXELS - torch.arange(PIXELS) - 0.5)).sum()) / PIXELS

    assert area_under(insertion) == pytest.approx(expected, abs=1e-9)
    assert insertion.values[[0, -1]] == pytest.approx([start, float((weights * image).sum())])


def test_the_map_of_the_shares_themselves_is_the_best_and_its_negative_the_worst(
    image: Tensor, weights: Tensor
) -> None:
    """The rearrangement inequality; random maps lie between, around half of the probability."""
    shares = (weights * image).sum(0)

    def deleted(saliency: Tensor) -> float:
        return area_under(perturbation_curves(lambda x: linear(weights, x), image, saliency, PIXELS)[0])

    draws = torch.Generator().manual_seed(2)
    random = [deleted(torch.rand(SIDES, generator=draws, dtype=torch.float64)) for _ in range(300)]
    error = float(np.std(random)) / np.sqrt(len(random))
    assert deleted(shares) < min(random)
    assert deleted(-shares) > max(random)
    assert np.mean(random) == pytest.approx(float(shares.sum()) / 2, abs=4 * error)


def test_steps_that_do_not_divide_the_pixels_cover_them_all(image: Tensor, weights: Tensor) -> None:
    saliency = torch.randn(SIDES, dtype=torch.float64)
    deletion, _ = perturbation_curves(lambda x: linear(weights, x), image, saliency, 7)
    fine, _ = perturbation_curves(lambda x: linear(weights, x), image, saliency, PIXELS)

    assert len(deletion.fractions) == 8
    assert deletion.fractions[[0, -1]].tolist() == [0, 1]
    places = np.rint(deletion.fractions * PIXELS).astype(int)
    assert deletion.values == pytest.approx(fine.values[places], abs=1e-9)


def test_the_blur_of_224_pixels_is_that_of_the_authors_and_matches_scipy() -> None:
    from scipy.ndimage import gaussian_filter

    image = torch.rand(1, 224, 224, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    expected = gaussian_filter(image[0].numpy(), sigma=5, radius=5, mode="nearest")
    assert blurred(image)[0].numpy() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("sides", [(3, 5), (24, 24), (301, 200)])
def test_a_flat_image_stays_flat_under_the_blur(sides: tuple[int, int]) -> None:
    assert torch.allclose(blurred(torch.full((3, *sides), 0.7)), torch.tensor(0.7))
