"""Recipes by name and from files, and what is rejected before anything is trained."""

from importlib import resources
from pathlib import Path

import pytest

from triscale.errors import InputError, UsageError
from triscale.training import Recipe, load_recipe, recipe_names


def test_the_recipes_that_come_along() -> None:
    assert recipe_names() == ("efficientnet", "modern", "quick", "transfer")
    assert all(isinstance(load_recipe(name), Recipe) for name in recipe_names())


def test_quick_of_today_differs_from_that_of_0_1_in_four_fields() -> None:
    assert load_recipe("quick") == Recipe(learning_rate=0.016, clip=0.3, warmup=0.3, shift=0)


def test_a_recipe_is_what_studies_of_0_1_were_trained_with() -> None:
    """Committed records hold these fields in this order, and no others."""
    assert Recipe().to_dict() == {
        "epochs": 10,
        "batch": 64,
        "optimizer": "adamw",
        "learning_rate": 0.008,
        "weight_decay": 0.02,
        "warmup": 0.15,
        "label_smoothing": 0.1,
        "flip": True,
        "shift": 0.125,
        "zero_classifier": True,
    }
    assert list(Recipe().to_dict())[:3] == ["epochs", "batch", "optimizer"]


def test_a_document_makes_the_same_recipe() -> None:
    for name in recipe_names():
        assert Recipe(**load_recipe(name).to_dict()) == load_recipe(name)


@pytest.mark.parametrize("name", recipe_names())
def test_the_head_states_command_machine_and_result(name: str) -> None:
    text = resources.files("triscale.recipes").joinpath(f"{name}.toml").read_text()
    head = text.split("\n\n")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    assert all(f"# {word}:" in head for word in ("command", "machine", "result"))


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('epochs = 3\nlearning_rate = 1\noptimizer = "sgd"\n')
    assert load_recipe(path) == Recipe(epochs=3, learning_rate=1.0, optimizer="sgd")


@pytest.mark.parametrize(("text", "told"), [
    ("learning_rat = 1", "'learning_rate'"),
    ("epochs = 1.5", "epochs is 1.5; give a whole number"),
    ("flip = 1", "flip is 1; give true or false"),
    ('optimizer = "adam"', "optimizer is 'adam'; give sgd, rmsprop, adamw"),
    ("batch = 1", "batch of 2"),
    ("ema = 1.0", "ema is 1.0"),
    ("weight_decay = nan", "weight_decay is nan"),
    ("warmup_epochs = 2", "give one of them"),
    ("warmup = 0.0\nwarmup_epochs = 10", "does not end within 10 epochs"),
    ('schedule = "staircase"', "give warmup_epochs instead"),
    ('policy = "randaugment"', "policy, jitter and erase are for crops"),
    ('crop = "random"', "is shifted already"),
    ("epochs = ", "is not TOML"),
])  # fmt: skip
def test_what_cannot_be_is_refused_by_name(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"mine\.toml") as caught:
        load_recipe(path)
    assert told in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def test_an_unknown_name_comes_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean efficientnet"):
        load_recipe("eficientnet")
    with pytest.raises(InputError, match="cannot be read"):
        load_recipe("missing.toml")
