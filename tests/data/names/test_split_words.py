"""Which names mean a split: the words that people use, and no others."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.data.names.split_words import EMPTY_WORDS, WORDS, recognised, recognised_anywhere, said_beside

T, V, E = "train", "val", "test"


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["train", "val", "test"], [T, V, E]),
        (["Training", "Testing"], [T, E]),
        (["TRAIN", "DEV"], [T, V]),
        (["training", "validation"], [T, V]),
        (["train", "valid", "test"], [T, V, E]),
        (["seg_train", "seg_test", "seg_pred"], [T, E, None]),
        (["train2017", "val2017"], [T, V]),
        (["trainset", "testset"], [T, E]),
        (["Train_Set_Folder", "TEST-SET"], [T, E]),
        (["TrainImages", "ValidationImages"], [T, V]),
        (["trainval", "test"], [T, E]),
        (["train_val", "holdout"], [T, E]),
        (["Train", "Hold-out"], [T, E]),
        (["train", "eval"], [T, V]),
        (["train", "val", "eval"], [T, V, E]),
        (["train", "eval", "test"], [T, V, E]),
        (["Training", "PublicTest", "PrivateTest"], [T, E, E]),
        (["chest xray train", "chest xray val"], [T, V]),
        (["training shoes", "trainers", "contest", "latest", "valence", "devil", "evaluate me"], [None] * 7),
        (["pre-train", "test tubes", "train station"], [None] * 3),
        (["train-test", "cat", ""], [None] * 3),
    ],
)
def test_names_beside_each_other_mean_these_splits(names: Sequence[str], splits: Sequence[str | None]) -> None:
    assert [recognised(names).get(name) for name in names] == splits


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("imagenet1k-validation-00", V),
        ("imagenet-train-000001", T),
        ("cats-and-dogs-test-3", E),
        ("train", T),
        ("x_train", T),
        ("valid_labels", V),
        ("latest-0", None),
        ("0000", None),
    ],
)
def test_a_word_anywhere_in_the_name_of_a_shard_or_array_counts(name: str, split: str | None) -> None:
    assert recognised_anywhere([name]).get(name) == split


@given(
    role=st.sampled_from([T, V, E]),
    data=st.data(),
    case=st.sampled_from([str.lower, str.upper, str.title]),
    joint=st.sampled_from(["_", "-", " ", ".", ""]),
)
def test_case_digits_and_empty_words_around_a_word_change_nothing(
    role: str, data: st.DataObject, case: type[str], joint: str
) -> None:
    word = data.draw(st.sampled_from(WORDS[role]))  # type: ignore[index]
    affix = data.draw(st.sampled_from(sorted(EMPTY_WORDS - {"x"})) | st.integers(0, 9999).map(str))
    name = case(word + joint + affix)
    assert recognised([name]) == {name: role}


@given(st.lists(st.from_regex(r"[a-z]{3,12}", fullmatch=True), min_size=1, max_size=5))
def test_words_that_are_no_split_words_are_none(names: list[str]) -> None:
    known = {word for words in WORDS.values() for word in words}
    plain = [name for name in names if not any(word in name for word in known)]
    assert recognised(plain) == {}


@pytest.mark.parametrize(
    ("name", "said"), [("x_train", ("x",)), ("xtrain", ("x",)), ("train_images", ("images",)), ("testset", ("set",))]
)
def test_what_a_name_says_beside_its_split(name: str, said: tuple[str, ...]) -> None:
    assert said_beside(name) == said
