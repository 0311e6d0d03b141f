"""Splits: stratified, disjoint, deterministic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.data import SplitRule, recorded_rule, split_validation
from triscale.errors import InputError, UsageError

ALIKE = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), min_size=1, max_size=120)
"""Images as (content, class); some contents lie in several classes."""
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
    with pytest.raises(InputError, match=rf"training size (is|of) {size}\b"):
        split_validation(np.arange(100) % 5, train_size=size, seed=0)


@pytest.mark.parametrize("wrong", [{"fraction": 0.0}, {"fraction": float("nan")}, {"train_size": -1}, {"seed": -1}])
def test_numbers_that_cannot_be_meant_are_usage_errors(wrong: dict[str, float]) -> None:
    arguments = {"fraction": 0.1, "train_size": None, "seed": 0, **wrong}
    with pytest.raises(UsageError, match="Give"):
        split_validation(np.arange(100) % 5, **arguments)  # type: ignore[arg-type]


HELD_BY_0_1_0 = [10, 15, 20, 21, 30, 31, 33, 36]


def keyed(pictures: list[tuple[int, int]]) -> tuple[np.ndarray, list[str]]:
    return np.array([label for _, label in pictures]), [f"content {content}" for content, _ in pictures]


@given(pictures=ALIKE, seed=st.integers(0, 2**32), fraction=st.floats(0.05, 0.5))
def test_copies_are_never_parted(pictures: list[tuple[int, int]], seed: int, fraction: float) -> None:
    labels, keys = keyed(pictures)
    train, held = split_validation(labels, fraction=fraction, seed=seed, keys=keys)
    np.testing.assert_array_equal(np.arange(len(labels)), np.sort(np.concatenate([train, held])))
    assert not {keys[one] for one in train} & {keys[one] for one in held}
    assert set(labels[train]) == set(labels), "each class keeps something to learn from"


@given(pictures=ALIKE, seed=st.integers(0, 2**32), data=st.data())
def test_a_split_by_content_does_not_depend_on_the_order(
    pictures: list[tuple[int, int]], seed: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(pictures))))
    contents = []
    for some in (pictures, [pictures[one] for one in order]):
        labels, keys = keyed(some)
        contents.append(sorted(some[one] for one in split_validation(labels, seed=seed, keys=keys)[1]))
    assert contents[0] == contents[1]


def test_different_pictures_are_stratified_as_closely_as_by_position() -> None:
    labels = np.repeat([0, 1, 2], [600, 300, 7])
    _, held = split_validation(labels, seed=3, keys=[str(one) for one in range(len(labels))])
    np.testing.assert_array_equal([60, 30, 2], np.bincount(labels[held]))


def test_where_every_picture_lies_twice_pairs_are_held_out() -> None:
    labels, keys = np.repeat([0, 1], 40), [str(one // 2) for one in range(80)]
    _, held = split_validation(labels, fraction=0.2, seed=0, keys=keys)
    np.testing.assert_array_equal([8, 8], np.bincount(labels[held]))


def test_a_class_of_two_large_groups_gives_up_the_smaller_one() -> None:
    labels = np.zeros(100, np.int64)
    _, held = split_validation(labels, seed=0, keys=["a"] * 70 + ["b"] * 30)
    np.testing.assert_array_equal(np.arange(70, 100), held)


def test_the_first_rule_draws_as_version_0_1_0_did() -> None:
    """From its own code; runs that it made must find their split again."""
    labels = np.arange(40) % 4
    for keys in ((), ["same"] * 40):
        train, held = split_validation(labels, seed=7, keys=keys, version=1)
        assert held.tolist() == HELD_BY_0_1_0
        assert len(train) == 32
    assert split_validation(labels, seed=7)[1].tolist() == HELD_BY_0_1_0, "without keys there is nothing else to go by"


def test_a_rule_is_recorded_and_known_again() -> None:
    assert recorded_rule(None) == recorded_rule({}) == SplitRule(version=1)
    assert SplitRule(version=1).to_dict() == {}
    for rule in (SplitRule(), SplitRule(group_by="near")):
        assert recorded_rule(rule.to_dict()) == rule
    for wrong in ({"version": 3, "group_by": "content"}, {"version": 2, "group_by": "x"}, {"version": "2"}):
        with pytest.raises(InputError, match="knows no rule"):
            recorded_rule(wrong)
    with pytest.raises(UsageError, match="'x'"):
        SplitRule(group_by="x")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="rule 1"):
        SplitRule(version=1, group_by="near")
