"""Means of map scores over images, and two networks paired."""

import numpy as np
import pytest
from scipy import stats

from triscale.map_scores import MapScore, paired, summary


def score(deletion: float, energy: float | None = None) -> MapScore:
    return MapScore(
        deletion=deletion, insertion=0.5, shuffled_deletion=0.4, shuffled_insertion=0.3, energy=energy,
        box_share=None if energy is None else 0.25,
    )  # fmt: skip


def test_a_mean_has_the_t_interval_of_scipy() -> None:
    values = [0.1, 0.2, 0.25, 0.6]
    found = summary([score(value) for value in values])
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert found["deletion"].mean == pytest.approx(np.mean(values))
    assert found["deletion"].interval == pytest.approx((low, high))
    assert found["deletion_gain"].mean == pytest.approx(0.4 - np.mean(values))
    assert found["insertion_gain"].mean == pytest.approx(0.2)


def test_paired_is_the_paired_t_interval_of_scipy() -> None:
    one, two = [0.1, 0.5, 0.9], [0.2, 0.59, 1.0]
    found = paired([score(value) for value in one], [score(value) for value in two])["deletion"].interval
    alone = summary([score(value) for value in one])["deletion"].interval
    expected = stats.ttest_rel(one, two).confidence_interval()
    assert found == pytest.approx((expected.low, expected.high))
    assert found is not None
    assert alone is not None
    assert found[1] < 0
    assert found[1] - found[0] < (alone[1] - alone[0]) / 10


def test_images_without_a_box_count_in_everything_but_the_energy() -> None:
    found = summary([score(0.1, 0.5), score(0.2), score(0.3, 0.7)])
    assert (found["deletion"].n, found["energy"].n, found["box_share"].n) == (3, 2, 2)
    assert "energy" not in summary([score(0.1)])
    assert summary([score(0.1)])["deletion"].interval is None
    with pytest.raises(ValueError, match="zip"):
        paired([score(0.1)], [])
