"""Progressive resizing: which epoch trains at which size and strength, on which images, and how it goes on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from tests.training.durable import states
from tests.training.pictures import SMALL, class_folders
from tests.training.test_loop import pictures
from tests.training.trainings import Heard, epochs, inside, job_of, run
from triscale.data import open_data
from triscale.data.feed.in_memory import Augmentation
from triscale.data.feed.loader import Loader
from triscale.errors import UsageError
from triscale.nn import build
from triscale.spec import Preprocessing
from triscale.training import Interrupted, PictureFeed, Recipe, Trainer, TrainRequest
from triscale.training.feed import GrowingFeed
from triscale.training.supply import feeds_of

GROWS: dict[str, Any] = {"epochs": 3, "batch": 16, "first_size": 0.5, "sizes": 3, "first_strength": 0.25, "mixup": 0.2}
SHIFTED = Recipe(**GROWS, ema=0.9)
CROPPED = Recipe(**GROWS, shift=0.0, crop="random", policy="randaugment", magnitude=8.0, erase=0.5)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    return class_folders(tmp_path / "data")


def test_sides_grow_linearly_in_stages_of_equal_length_as_in_the_paper() -> None:
    recipe = Recipe(epochs=8, first_size=0.5, sizes=4)
    sides = [recipe.size_at(epoch, (24, 33)) for epoch in range(8)]
    assert sides[::2] == sides[1::2] == [(12, 16), (16, 22), (20, 28), (24, 33)]


@given(st.sampled_from([1, 2, 3, 7, 350]), st.integers(2, 5), st.floats(0.01, 1.0))
@example(350, 5, 1.0)
def test_the_last_epoch_has_the_whole_size_and_strength_and_none_shrinks(epochs: int, sizes: int, first: float) -> None:
    recipe = Recipe(epochs=epochs, first_size=first, first_strength=first, sizes=sizes)
    sides = [recipe.size_at(epoch, (33, 8)) for epoch in range(epochs)]
    strengths = [recipe.strength_at(epoch) for epoch in range(epochs)]
    assert (sides[-1], strengths[-1]) == ((33, 8), 1.0)
    assert sides == sorted(sides)
    assert strengths == sorted(strengths)
    assert all(side % 2 == 0 or side == 33 for size in sides for side in size)
    if first == 1:
        assert (set(sides), set(strengths)) == ({(33, 8)}, {1.0}), "to the bit: other trainings are as they were"


@pytest.mark.parametrize("wrong", [
    {"first_size": 0.0}, {"first_size": 1.5}, {"first_strength": -0.1}, {"first_size": 0.5, "sizes": 1},
    {"distil": 1.1}, {"temperature": 0.0}, {"first_size": float("nan")},
])  # fmt: skip
def test_senseless_growth_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Recipe(**wrong)


def test_a_recipe_that_does_not_grow_is_told_from_others_as_before() -> None:
    later = {"first_size", "sizes", "first_strength", "distil", "temperature"}
    assert not later & Recipe().to_dict().keys()
    assert Recipe(first_size=0.5).to_dict()["first_size"] == 0.5


def fed(data: Path, recipe: Recipe) -> PictureFeed | Loader | GrowingFeed:
    job = job_of(TrainRequest(network=SMALL, data=str(data), recipe=recipe, seed=1))
    return feeds_of(job, open_data(str(data)), Preprocessing(), 0, lambda *_: None)[0]


def test_each_epoch_has_its_size_and_the_order_of_a_training_that_does_not_grow(data: Path) -> None:
    growing, whole = fed(data, SHIFTED), fed(data, replace(SHIFTED, first_size=1.0, first_strength=1.0))
    assert isinstance(whole, PictureFeed)
    assert (growing.steps, growing.left_out) == (whole.steps, whole.left_out)
    for epoch, side in enumerate((4, 6, 8)):
        ours, theirs = list(growing.batches(epoch, 1)), list(whole.batches(epoch, 1))
        assert {one.shape[-2:] for one, _ in ours} == {(side, side)}
        assert all(torch.equal(one[1], other[1]) for one, other in zip(ours, theirs, strict=True))
        assert growing.names(epoch, 1) == whole.names(epoch, 1)
    assert torch.equal(ours[0][0], theirs[0][0]), "the last epoch is that of a training that does not grow"


def test_pictures_are_rendered_at_each_size_from_the_originals(data: Path) -> None:
    still = replace(SHIFTED, flip=False, shift=0.0)
    growing, source = fed(data, still), open_data(str(data))
    assert isinstance(growing, GrowingFeed)
    first = growing.by_epoch[0]
    assert isinstance(first, PictureFeed)
    assert (first.images == source.pictures("train", (4, 4))).all()
    assert first.augmentation == Augmentation(flip=False, shift=0.0)


def test_crops_have_the_size_and_the_magnitude_of_their_epoch(data: Path) -> None:
    growing = fed(data, CROPPED)
    assert isinstance(growing, GrowingFeed)
    assert [next(growing.batches(epoch, 0))[0].shape[-1] for epoch in range(3)] == [4, 6, 8]
    loaders = [one for one in growing.by_epoch if isinstance(one, Loader)]
    assert [one.augmentation.magnitude for one in loaders] == [2.0, 5.0, 8.0]
    assert {one.augmentation.erase for one in loaders} == {0.5}
    assert loaders[0].broken is loaders[2].broken, "what breaks in all epochs counts together"


def test_precise_statistics_are_of_pictures_as_large_as_those_of_the_validation(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides: list[int] = []
    monkeypatch.setattr(
        inside("validation"), "take_precise", lambda _, some: sides.extend(one.shape[-1] for one, _ in some)
    )
    run(TrainRequest(network=SMALL, data=str(data), recipe=replace(SHIFTED, norms="precise"), seed=1), tmp_path / "run")
    assert set(sides) == {8}
    assert len(sides) == 3 * 4


def test_dropout_and_mixup_grow_with_the_epochs() -> None:
    recipe = Recipe(epochs=2, sizes=2, first_strength=0.5, mixup=0.4)
    engine = Trainer(build(SMALL), recipe, 1)
    engine.learn(*pictures(32))
    assert engine.model.get_submodule("dropout").p == pytest.approx(0.1)
    engine.close_epoch(0.0)
    engine.learn(*pictures(32))
    assert engine.model.get_submodule("dropout").p == 0.2


def test_a_strength_of_zero_mixes_nothing() -> None:
    sharp = replace(SMALL, stochastic_depth=0.0, head=replace(SMALL.head, dropout=0.0))
    losses = []
    for mixup, strength in ((0.4, 0.0), (0.0, 1.0), (0.4, 1.0)):
        torch.manual_seed(0)
        engine = Trainer(build(sharp), Recipe(epochs=2, first_strength=strength, mixup=mixup), 1)
        engine.learn(*pictures(32))
        losses.append(engine.loss_sum.item())
    assert losses[0] == losses[1] != losses[2]


def test_the_steps_left_are_counted_by_what_they_cost() -> None:
    engine = Trainer(build(SMALL), Recipe(epochs=2, sizes=2, first_size=0.5), 3)
    engine.learn(*pictures(32))
    assert engine.steps_left == 2 + 3 * 4
    assert Trainer(build(SMALL), Recipe(epochs=2), 3).steps_left == 6


@pytest.mark.parametrize(("recipe", "stop"), [(SHIFTED, 3), (SHIFTED, 4), (SHIFTED, 10), (CROPPED, 8)])
def test_a_stopped_training_resumes_to_the_same_bits(tmp_path: Path, data: Path, recipe: Recipe, stop: int) -> None:
    """In the middle of the smallest and of the largest size, and where one gives way to the next."""
    asked = TrainRequest(network=SMALL, data=str(data), recipe=recipe, seed=1)
    run(asked, tmp_path / "whole")
    assert [one.resolution for one in epochs(tmp_path / "whole")] == [(4, 4), (6, 6), (8, 8)]
    with pytest.raises(Interrupted):
        run(asked, tmp_path / "run", Heard(stop), loader_workers=0)
    run(asked, tmp_path / "run")
    assert states(tmp_path / "run") == states(tmp_path / "whole")
