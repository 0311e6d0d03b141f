"""The state on disk: what is damaged is found, the one before serves, and what is of something else is rejected."""

import random
from pathlib import Path

import pytest
import torch

from tests.training.test_loop import NETWORK, Listed, pictures
from triscale.errors import InputError
from triscale.evaluation import top1
from triscale.nn import build
from triscale.training import Recipe, ResumeState, Trainer, train
from triscale.training.computing import here
from triscale.training.saved import LAST, PREVIOUS, packed, tensors_of, unpacked
from triscale.trials import Numerics

RECIPE = Recipe(epochs=2, ema=0.9, optimizer="adamw")


def engine(recipe: Recipe = RECIPE) -> Trainer:
    torch.manual_seed(0)
    model = build(NETWORK).to(memory_format=torch.channels_last)
    return Trainer(model, recipe, Listed.steps)


def keeper(folder: Path, told: list[str] | None = None, key: str = "this one") -> ResumeState:
    numerics = here(Numerics(threads=torch.get_num_threads()))
    return ResumeState(folder, key, numerics=numerics, every=1e9, tell=(told if told is not None else []).append)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with the states after five and after six steps."""
    running, holder = engine(), keeper(tmp_path)
    torch.manual_seed(0)
    for step, (images, labels) in enumerate([*Listed().batches(0), *Listed().batches(1, 0)]):
        if step == 4:
            running.close_epoch(0.5)
        if step in {5, 6}:
            holder.save(running)
        running.learn(images, labels)
    return tmp_path


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "rmsprop"])
def test_every_optimizer_resumes_to_the_same_bits(tmp_path: Path, optimizer: str) -> None:
    """In channels-last memory, which a saved tensor is not: a fused optimizer would take one for the other."""
    recipe = Recipe(epochs=2, ema=0.9, optimizer=optimizer)  # type: ignore[arg-type]
    whole, broken = engine(recipe), engine(recipe)
    held_out = pictures(32)
    train(whole, Listed(), lambda model: top1(model, [held_out]))
    for images, labels in list(Listed().batches(0))[:3]:
        broken.learn(images, labels)
    keeper(tmp_path).save(broken)
    again = engine(recipe)
    assert keeper(tmp_path).restore(again)
    train(again, Listed(), lambda model: top1(model, [held_out]))
    one, other = tensors_of(whole), tensors_of(again)
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []
    assert whole.history == again.history


def test_nothing_saved_is_no_mistake(tmp_path: Path) -> None:
    assert not keeper(tmp_path).restore(engine())


def test_the_newest_state_is_taken(saved: Path) -> None:
    told: list[str] = []
    found = engine()
    assert keeper(saved, told).restore(found)
    assert (found.step, found.epoch, found.step_of_epoch, told) == (6, 1, 2, [])


def damaged(content: bytes) -> list[bytes]:
    """Cut in ten places, a bit flipped in twenty, and nothing at all."""
    places = random.Random(0)
    cuts = [content[: int(len(content) * part / 10)] for part in range(10)]
    flips = []
    for _ in range(20):
        flipped = bytearray(content)
        flipped[places.randrange(len(content))] ^= 1 << places.randrange(8)
        flips.append(bytes(flipped))
    return [*cuts, *flips, b""]


def test_a_damaged_state_gives_way_to_the_one_before_with_a_warning_that_names_both(saved: Path) -> None:
    content, found = (saved / LAST).read_bytes(), engine()
    for one in damaged(content):
        (saved / LAST).write_bytes(one)
        told: list[str] = []
        assert keeper(saved, told).restore(found)
        assert found.step == 5
        assert len(told) == 1
        assert str(saved / LAST) in told[0]
        assert str(saved / PREVIOUS) in told[0]


def test_a_state_of_another_version_or_training_gives_way_too(saved: Path) -> None:
    about, tensors = unpacked(saved / LAST)
    for changed, reason in (({"version": 99}, "version 99"), ({"identity": "x"}, "belongs to another training")):
        (saved / LAST).write_bytes(packed({**about, **changed}, tensors))
        told: list[str] = []
        assert keeper(saved, told).restore(engine())
        assert reason in told[0]


def test_without_any_intact_state_it_never_starts_anew(saved: Path) -> None:
    for name in (LAST, PREVIOUS):
        (saved / name).write_bytes(b"")
    with pytest.raises(InputError, match="No state is left") as caught:
        keeper(saved).restore(engine())
    assert LAST in str(caught.value)
    assert PREVIOUS in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def test_another_number_of_threads_is_warned_of(saved: Path) -> None:
    about, tensors = unpacked(saved / LAST)
    about["numerics"]["threads"] = 99
    (saved / LAST).write_bytes(packed(about, tensors))
    told: list[str] = []
    keeper(saved, told).restore(engine())
    assert told == [f"warning: the last bits of the result may differ: threads 99 then, {torch.get_num_threads()} now."]
