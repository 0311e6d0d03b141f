"""Distillation: the loss, what the teacher sees, whom it may teach, and how a training goes on with it."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.nn.networks import randomise
from tests.training.durable import states
from tests.training.pictures import SMALL, class_folders
from tests.training.test_loop import pictures
from tests.training.trainings import Heard, run
from triscale.errors import InputError, UsageError
from triscale.lock import LOCK
from triscale.nn import build
from triscale.spec import IMAGENET, Network, Preprocessing
from triscale.training import Interrupted, Recipe, Trainer, TrainRequest
from triscale.training.learning.mix import mixed
from triscale.training.learning.teacher import Teacher, class_order, distillation
from triscale.weights import Checkpoint

CPU = torch.device("cpu")
STUDY = Preprocessing()
SHARP = replace(SMALL, stochastic_depth=0.0, head=replace(SMALL.head, dropout=0.0))


def checkpoint(network: Network = SMALL, classes: tuple[str, ...] = ("0", "1"), **fields: Any) -> Checkpoint:
    torch.manual_seed(7)
    model = build(replace(network, classes=len(classes)))
    randomise(model)
    fields = {"preprocessing": STUDY, **fields}
    return Checkpoint(network=model.network, state=model.state_dict(), classes=classes, **fields)


def test_the_loss_is_its_closed_form() -> None:
    """Two classes, T = 2: p = sigmoid of half the difference; KL between two such, times 4."""
    student, teacher = 1 / (1 + math.exp(-0.5)), 1 / (1 + math.exp(1.0))
    kl = teacher * math.log(teacher / student) + (1 - teacher) * math.log((1 - teacher) / (1 - student))
    found = distillation(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]]), 2.0)
    assert found.item() == pytest.approx(4 * kl, rel=1e-6)
    assert distillation(torch.tensor([[3.0, 1.0]]), torch.tensor([[3.0, 1.0]]), 4.0).item() == pytest.approx(
        0, abs=1e-6
    )


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_gradient_is_that_of_cross_entropy_with_soft_targets(temperature: float) -> None:
    torch.manual_seed(0)
    logits, taught = torch.randn(6, 5, requires_grad=True), torch.randn(6, 5)
    (ours,) = torch.autograd.grad(distillation(logits, taught, temperature), logits)
    soft = F.cross_entropy(logits / temperature, (taught / temperature).softmax(1)) * temperature**2
    (expected,) = torch.autograd.grad(soft, logits)
    torch.testing.assert_close(ours, expected)


def teach(pictures: Tensor) -> Tensor:
    """Any function of the images."""
    halves = pictures.mean((1, 3))
    return torch.stack([halves[:, :4].sum(1), halves[:, 4:].sum(1)], 1)


def gradients(recipe: Recipe, *, taught: bool) -> list[Tensor]:
    torch.manual_seed(0)
    engine = Trainer(build(SHARP), recipe, 1, teacher=teach if taught else None)
    engine.model.eval()
    engine._backward(*pictures(32), 32)
    return [one.grad for one in engine.model.parameters() if one.grad is not None]


@pytest.mark.parametrize("parts", [1, 4])
def test_a_student_of_the_teacher_alone_has_the_gradient_of_its_soft_targets(parts: int) -> None:
    recipe = Recipe(mixup=0.2, distil=1.0, temperature=1.0)
    torch.manual_seed(0)
    engine = Trainer(build(SHARP), recipe, 1, teacher=teach)
    engine.parts = parts
    engine.model.eval()
    engine._backward(*pictures(32), 32)
    torch.manual_seed(0)
    model = build(SHARP).eval()
    batch = mixed(*pictures(32), 0.2, 0.0, 0, 0)
    F.cross_entropy(model(batch.pictures), teach(batch.pictures).softmax(1)).backward()  # type: ignore[no-untyped-call]
    for one, other in zip(engine.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-7)


def test_the_share_of_the_teacher_weighs_the_two_gradients() -> None:
    labels = gradients(Recipe(mixup=0.2), taught=False)
    teacher = gradients(Recipe(mixup=0.2, distil=1.0), taught=True)
    both = gradients(Recipe(mixup=0.2, distil=0.25), taught=True)
    for one, other, mean in zip(labels, teacher, both, strict=True):
        torch.testing.assert_close(mean, 0.75 * one + 0.25 * other, rtol=1e-4, atol=1e-7)


def test_the_teacher_answers_for_the_students_pictures_as_it_would_by_itself() -> None:
    """Its own colours, its own size, and the data's order of classes."""
    found = checkpoint(classes=("a", "b", "c"), preprocessing=IMAGENET)
    white = torch.rand(4, 3, 8, 8)

    def normalised(how: Preprocessing) -> Tensor:
        return (white - torch.tensor(how.mean).reshape(3, 1, 1)) / torch.tensor(how.std).reshape(3, 1, 1)

    with torch.no_grad():
        expected = found.model()(normalised(IMAGENET))
    assert torch.allclose(Teacher(found, ("a", "b", "c"), STUDY, CPU)(normalised(STUDY)), expected, atol=1e-5)
    reordered = Teacher(found, ("c", "a", "b"), STUDY, CPU)(normalised(STUDY))
    assert torch.allclose(reordered, expected[:, [2, 0, 1]], atol=1e-5)
    larger = replace(found, preprocessing=replace(IMAGENET, resolution=(12, 5)))
    resized = F.interpolate(normalised(IMAGENET), (12, 5), mode="bilinear", antialias=True)
    with torch.no_grad():
        expected = found.model()(resized)
    assert torch.allclose(Teacher(larger, ("a", "b", "c"), STUDY, CPU)(normalised(STUDY)), expected, atol=1e-5)


@pytest.mark.parametrize(("own", "told"), [
    (("a", "b"), r"knows other classes \(2\) than the data have \(3\): it lacks 'c'"),
    (("a", "b", "c", "x", "y", "z", "v"), "it has 'x', 'y', 'z' and 1 more"),
    (("a", "b", "b"), "it lacks 'c'"),
])  # fmt: skip
def test_a_teacher_of_other_classes_is_refused_with_what_differs(own: tuple[str, ...], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        class_order(own, ("a", "b", "c"))
    assert len(str(caught.value).splitlines()) <= 3


def test_names_that_occur_twice_are_taken_in_one_order_only() -> None:
    """ImageNet has two cranes."""
    assert class_order(("crane", "crane"), ("crane", "crane")) is None
    with pytest.raises(InputError, match="twice"):
        class_order(("crane", "crane", "dog"), ("crane", "dog", "crane"))


def test_a_teacher_of_other_channels_is_refused() -> None:
    grey = replace(STUDY, mean=(0.5,), std=(0.25,))
    found = checkpoint(replace(SMALL, input_channels=1), preprocessing=grey)
    with pytest.raises(InputError, match="images of 1 channels, the student of 3"):
        Teacher(found, ("0", "1"), STUDY, CPU)


def test_a_teacher_who_teaches_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="distil is 0"):
        TrainRequest(network=SMALL, data="", recipe=Recipe(distil=0.0), teacher=checkpoint())


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    return class_folders(tmp_path / "data")


RECIPE = Recipe(epochs=2, batch=16, ema=0.9, mixup=0.2, first_size=0.5, sizes=2)


def test_a_stopped_training_resumes_to_the_same_bits_and_the_teacher_is_part_of_it(tmp_path: Path, data: Path) -> None:
    teacher = checkpoint(classes=("1", "0"), preprocessing=IMAGENET)
    before = {name: one.clone() for name, one in teacher.state.items()}
    asked = TrainRequest(network=SMALL, data=str(data), recipe=RECIPE, seed=1, teacher=teacher)
    run(asked, tmp_path / "whole")
    run(replace(asked, teacher=None), tmp_path / "alone")
    with pytest.raises(Interrupted):
        run(asked, tmp_path / "run", Heard(3))
    for other in (None, checkpoint()):
        with pytest.raises(InputError, match=r"another training \(teacher\)"):
            run(replace(asked, teacher=other), tmp_path / "run")
    run(asked, tmp_path / "run", loader_workers=2)
    assert states(tmp_path / "run") == states(tmp_path / "whole") != states(tmp_path / "alone")
    assert all(torch.equal(before[name], teacher.state[name]) for name in before)


def test_a_refused_teacher_leaves_the_folder_to_another_try(tmp_path: Path, data: Path) -> None:
    asked = TrainRequest(network=SMALL, data=str(data), recipe=RECIPE, teacher=checkpoint(classes=("cat", "dog")))
    with pytest.raises(InputError, match="it lacks '0', '1', it has 'cat', 'dog'"):
        run(asked, tmp_path / "run")
    assert [one.name for one in (tmp_path / "run").iterdir()] == [LOCK]
