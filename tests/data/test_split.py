"""Splits: stratified, disjoint, deterministic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.data import split_validation
from triscale.errors import InputError, UsageError

label_lists = st.lists(st.integers(0, 4), min_size=1, max_size=120).map(lambda some: np.array(some, dtype=np.int64))


@given(labels=label_lists, seed=st.integers(0, 2**32), fraction=st.floats(0.05, 0.5))
def test_parts_are_disjoint_and_whole(labels: np.ndarray, seed: int, fraction: float) -> None:
    train, validation = split_validation(labels, fraction=fraction, seed=seed)
    np.testing.assert_array_equal(np.arange(len(labels)), np.sort(np.concatenate([train, validation])))


@given(labels=label_lists, seed=st.integers(0, 2**32))
def test_every_class_keeps_its_share(labels: np.ndarray, seed: int) -> None:
    train, validation = split_validation(labels, fraction=0.1, seed=seed)
    for label in np.unique(labels):
        n, held = int((labels == label).sum()), int((labels[validation] == label).sum())
        assert held == min(max(round(0.1 * n), 2), n // 2)
        assert (labels[train] == label).any()


@given(labels=label_lists, seed=st.integers(0, 2**32), data=st.data())
def test_a_training_size_is_exact_and_stratified(labels: np.ndarray, seed: int, data: st.DataObject) -> None:
    whole, held = split_validation(labels, seed=seed)
    size = data.draw(st.integers(len(np.unique(labels)), len(whole)))
    train, validation = split_validation(labels, train_size=size, seed=seed)
    assert size == len(train)
    assert set(train) <= set(whole)
    np.testing.assert_array_equal(held, validation)
    for label in np.unique(labels):
        wanted = (labels[whole] == label).sum() * size / len(whole)
        got = (labels[train] == label).sum()
        assert got >= 1
        # At least one each may cost the others up to one for every class that is too small.
        assert abs(got - wanted) < 1 + len(np.unique(labels))


def test_large_classes_get_proportional_shares() -> None:
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    train, validation = split_validation(labels, fraction=0.1, train_size=90, seed=3)
    np.testing.assert_array_equal([54, 27, 9], np.bincount(labels[train]))
    np.testing.assert_array_equal([60, 30, 10], np.bincount(labels[validation]))


def test_equal_seeds_give_equal_splits_and_others_do_not() -> None:
    labels = np.arange(200) % 5
    first, again, other = (split_validation(labels, seed=seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)


@pytest.mark.parametrize("size", [91, 2])
def test_a_training_size_that_cannot_be_had_is_an_input_error(size: int) -> None:
    with pytest.raises(InputError, match=f"training size of {size}"):
        split_validation(np.arange(100) % 5, train_size=size, seed=0)


@pytest.mark.parametrize("wrong", [{"fraction": 0.0}, {"fraction": float("nan")}, {"train_size": -1}, {"seed": -1}])
def test_numbers_that_cannot_be_meant_are_usage_errors(wrong: dict[str, float]) -> None:
    arguments = {"fraction": 0.1, "train_size": None, "seed": 0, **wrong}
    with pytest.raises(UsageError, match="cannot be meant"):
        split_validation(np.arange(100) % 5, **arguments)  # type: ignore[arg-type]
