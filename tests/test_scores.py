"""Scores where classes are unequal: the definitions of scikit-learn, by its own examples and by counting sets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triscale.scores import Evaluation


def scored(truth: list[int], answers: list[int], classes: int = 9) -> Evaluation:
    """Of so many classes."""
    names = tuple(map(str, range(classes)))
    return Evaluation(classes=names, labels=np.array(truth), ranked=np.array(answers)[:, None])


def test_balanced_accuracy_is_that_of_scikit_learns_manual() -> None:
    assert scored([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1]).balanced_accuracy == 0.625


def test_macro_f1_is_that_of_scikit_learns_manual() -> None:
    assert scored([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1]).macro_f1 == pytest.approx(0.8 / 3)


@settings(max_examples=50)
@given(pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40))
def test_scores_are_means_over_classes_of_recall_and_of_f1(pairs: list[tuple[int, int]]) -> None:
    """Recall of classes that are there; F1, 0 where nothing is right, of classes that are there or were answered."""
    truth, answers = [one for one, _ in pairs], [one for _, one in pairs]
    recalls, scores = [], []
    for label in sorted({*truth, *answers}):
        there = {index for index, one in enumerate(truth) if one == label}
        said = {index for index, one in enumerate(answers) if one == label}
        recall = len(there & said) / len(there) if there else 0.0
        precision = len(there & said) / len(said) if said else 0.0
        scores.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
        recalls += [recall] if there else []
    found = scored(truth, answers)
    assert found.balanced_accuracy == pytest.approx(sum(recalls) / len(recalls))
    assert found.macro_f1 == pytest.approx(sum(scores) / len(scores))


@given(answers=st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_where_classes_are_equal_balanced_accuracy_is_accuracy(answers: list[int]) -> None:
    found = scored([0, 0, 1, 1, 2, 2], answers)
    assert not found.unequal
    assert found.balanced_accuracy == pytest.approx(found.top1)
    assert scored([0, 1, 1], [0, 1, 1]).unequal


def test_json_has_both() -> None:
    found = scored([0, 0, 0, 1], [0, 0, 0, 0]).as_dict()
    assert (found["top1"], found["balanced_accuracy"]) == (0.75, 0.5)
    assert found["macro_f1"] == pytest.approx(6 / 7 / 2)
