"""What a training begins with: a smaller network that has grown."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.nn.networks import randomise
from tests.training.durable import states
from tests.training.pictures import SMALL, class_folders
from tests.training.trainings import Heard, job_of, only, run
from triscale.errors import InputError, UsageError
from triscale.lock import LOCK
from triscale.nn import Model, build
from triscale.spec import Preprocessing, Stem, scale
from triscale.training import Inputs, Interrupted, Recipe, TrainRequest
from triscale.training.first import first_model
from triscale.trials import TrainJob
from triscale.weights import Checkpoint, Classifier

LARGER = scale(SMALL, depth=2, width=2)
RECIPE = Recipe(epochs=2, batch=16, mixup=0.2)


def smaller(classes: tuple[str, ...] = ("0", "1")) -> Checkpoint:
    torch.manual_seed(3)
    model = build(replace(SMALL, classes=len(classes)))
    randomise(model)
    return Checkpoint(network=model.network, state=model.state_dict(), classes=classes, preprocessing=Preprocessing())


def growing(data: Path, small: Checkpoint) -> TrainRequest:
    return TrainRequest(network=LARGER, data=str(data), recipe=RECIPE, seed=1, weights=small, grow=True)


def resolved(asked: TrainRequest) -> tuple[TrainJob, Inputs]:
    """What a training begins with."""
    return job_of(asked), asked.inputs()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    return class_folders(tmp_path / "data")


def test_the_first_answers_are_those_of_the_smaller_network(data: Path) -> None:
    small, said = smaller(), list[str]()
    model = first_model(*resolved(growing(data, small)), said.append).eval()
    pictures = torch.randn(4, 3, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(model(pictures), small.model()(pictures), rtol=1e-4, atol=1e-5)
    assert any("begins as the function of tiny" in text for text in said)


def test_other_classes_get_a_new_classifier_and_the_map_before_it_stays(data: Path) -> None:
    small, said = smaller(("a", "b", "c")), list[str]()
    model = first_model(*resolved(growing(data, small)), said.append).eval()
    pictures, before = torch.randn(4, 3, 8, 8), small.model()
    assert isinstance(model, Model)
    assert isinstance(before, Model)
    with torch.no_grad():
        ours, theirs = model.forward_features(pictures), before.forward_features(pictures)
    torch.testing.assert_close(ours[:, : theirs.shape[1]], theirs, rtol=1e-4, atol=1e-5)
    assert any("classifier is new" in text for text in said)


def test_a_grown_training_resumes_to_the_same_bits(tmp_path: Path, data: Path) -> None:
    one = growing(data, smaller())
    run(one, tmp_path / "whole")
    weights = only(tmp_path / "whole").job.weights
    assert weights is not None
    assert (weights.network, weights.grow) == ("tiny", True)
    with pytest.raises(Interrupted):
        run(one, tmp_path / "run", Heard(3))
    with pytest.raises(InputError, match=r"another training \(weights\)"):
        run(replace(one, weights=None, grow=False), tmp_path / "run")
    run(one, tmp_path / "run")
    assert states(tmp_path / "run") == states(tmp_path / "whole")


def test_what_cannot_grow_is_refused_and_leaves_the_folder_to_another_try(tmp_path: Path, data: Path) -> None:
    narrower = replace(growing(data, smaller()), network=replace(LARGER, head=replace(LARGER.head, channels=8)))
    with pytest.raises(InputError, match="the head, head, is narrower in its conv"):
        run(narrower, tmp_path / "run")
    assert [one.name for one in (tmp_path / "run").iterdir()] == [LOCK]
    with pytest.raises(UsageError, match="nothing is given to grow from"):
        TrainRequest(network=LARGER, data=str(data), recipe=RECIPE, grow=True)


BARE = replace(SMALL, name="bare", stem=Stem(channels=8, padding="valid"), resolution=(6, 6))
"""A stem that takes no image below 3 px."""


def test_images_of_a_first_epoch_that_are_too_small_are_rejected_before_a_step(data: Path) -> None:
    recipe = replace(RECIPE, epochs=4, first_size=0.3)

    with pytest.raises(InputError, match="bare cannot run on images of 2x2 px"):
        job_of(TrainRequest(network=BARE, data=str(data), recipe=recipe))
    job_of(TrainRequest(network=BARE, data=str(data), recipe=replace(recipe, first_size=0.7)))


def test_an_overridden_resolution_that_is_too_small_is_rejected_before_an_answer() -> None:
    found = Classifier(model=build(BARE), classes=tuple(map(str, range(BARE.classes))), preprocessing=Preprocessing())

    with pytest.raises(InputError, match="bare cannot run on images of 8x2 px"):
        found.held_to({}, {"resolution": (8, 2)})


def test_weights_without_a_classifier_keep_all_else(data: Path) -> None:
    """Of `num_classes=0`, features only, or a head of one's own: what is lacking is made again."""
    whole, said = smaller(), list[str]()
    state = {name: tensor for name, tensor in whole.state.items() if not name.startswith("classifier.")}
    headless = replace(whole, state=state, classes=(), lacks="it holds no classifier")
    one = TrainRequest(network=SMALL, data=str(data), recipe=RECIPE, seed=1, weights=headless)

    model = first_model(*resolved(one), said.append)

    assert isinstance(model, Model)
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in state.items())
    assert model.classifier.weight.shape[0] == SMALL.classes
    assert said == ["the classifier is new: it holds no classifier"]
