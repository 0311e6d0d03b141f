"""Class weights: scikit-learn's balanced ones, in torch's weighted mean, whatever parts a batch is taken in."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from tests.train.pictures import SMALL, class_folders
from tests.train.test_loop import NETWORK
from triscale.data import open_data
from triscale.errors import InputError, UsageError
from triscale.nn import build
from triscale.train import Engine, Recipe, data_use, load_recipe
from triscale.train.class_weights import balanced, class_weights
from triscale.train.mix import mixed
from triscale.trials import TrainJob

QUIET = replace(NETWORK, classes=3, stochastic_depth=0.0, head=replace(NETWORK.head, dropout=0.0))
WEIGHTS = torch.tensor([0.4, 1.0, 3.0])


def test_the_weights_are_those_of_the_example_in_scikit_learns_manual() -> None:
    """`compute_class_weight("balanced", classes=[0, 1], y=[1, 1, 1, 1, 0, 0])` gives [1.5, 0.75]."""
    assert balanced(np.array([1, 1, 1, 1, 0, 0]), 2).tolist() == [1.5, 0.75]


@given(labels=st.lists(st.integers(0, 8), min_size=1, max_size=60))
def test_classes_count_alike_and_their_mean_over_the_labels_is_one(labels: list[int]) -> None:
    y = np.array(labels)
    of_labels = balanced(y, 10).double().numpy()[y]
    totals = [of_labels[y == label].sum() for label in set(labels)]
    assert totals == pytest.approx([len(labels) / len(totals)] * len(totals), rel=1e-6)
    assert of_labels.mean() == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("parts", [1, 5])
@pytest.mark.parametrize("mixup", [0.0, 0.2])
def test_a_step_has_the_gradient_of_torchs_weighted_cross_entropy(parts: int, mixup: float) -> None:
    """With label smoothing, over the whole batch: parts have other labels each, and other sums of weights."""
    torch.manual_seed(0)
    pictures, labels = torch.randn(20, 3, 8, 8), torch.tensor([0] * 13 + [1] * 5 + [2] * 2)
    recipe = Recipe(norms="freeze", mixup=mixup)
    torch.manual_seed(0)
    engine = Engine(build(QUIET), recipe, 1, class_weights=WEIGHTS)
    engine.parts = parts
    engine.learn(pictures, labels)
    torch.manual_seed(0)
    model = build(QUIET).eval()
    batch = mixed(pictures, labels, mixup, 0.0, 0, 0)
    logits = model(batch.pictures)
    own, other = (F.cross_entropy(logits, one, weight=WEIGHTS, label_smoothing=0.1) for one in (labels, batch.others))
    expected = batch.share * own + (1 - batch.share) * other
    expected.backward()  # type: ignore[no-untyped-call]
    assert engine.mean_loss == pytest.approx(expected.item(), rel=1e-5)
    for one, two in zip(engine.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(one.grad, two.grad, rtol=1e-4, atol=1e-6)


def test_weights_are_of_the_labels_that_are_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those alone: what is set aside for validation does not count."""
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    root = class_folders(tmp_path / "data", count=46)
    for index in range(30):
        (root / "1" / f"{index}.png").unlink()
    source = open_data(str(root))
    training = source.labels("train")[source.training_split(seed=3).training]
    usual = TrainJob(network=SMALL, data=data_use(source, seed=3), recipe=Recipe())
    found = class_weights(replace(usual, recipe=Recipe(class_weights="balanced")), source)
    assert found is not None
    assert found.tolist() == pytest.approx([len(training) / (2 * np.sum(training == label)) for label in (0, 1)])
    assert found[1] > 2 * found[0]
    assert class_weights(usual, source) is None


def test_the_word_is_checked_and_older_recipes_keep_their_identity(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="class_weights is 'equal'; give none, balanced"):
        Recipe(class_weights="equal")  # type: ignore[arg-type]
    (tmp_path / "a.toml").write_text('class_weights = "balanced"\n')
    assert load_recipe(tmp_path / "a.toml").to_dict()["class_weights"] == "balanced"
    (tmp_path / "a.toml").write_text("class_weights = true\n")
    with pytest.raises(InputError, match="class_weights is True; give a text"):
        load_recipe(tmp_path / "a.toml")
    assert "class_weights" not in Recipe().to_dict()
