"""Images that break between the check of the data and their use: named, left out, and the training goes on."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.training.pictures import class_folders
from tests.training.trainings import RECIPE, Heard, epochs, inside, request, run
from triscale.data import open_data, split_validation
from triscale.data.photo_files import PhotoPart
from triscale.errors import InputError
from triscale.training import Interrupted
from triscale.training.supply import feeds_of

HARMS = [
    pytest.param(Path.unlink, id="deleted"),
    pytest.param(lambda path: path.write_bytes(b""), id="emptied", marks=pytest.mark.slow),
]
CROPS = replace(RECIPE, crop="random", shift=0.0)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    return class_folders(tmp_path / "data")


def break_after_the_check(monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], object], *names: Path) -> None:
    """Once the data are open, before the first of their images is made."""

    def harmed(*arguments: object, **options: object) -> object:
        for name in names:
            if name.exists():
                harm(name)
        return feeds_of(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(inside("fitting"), "feeds_of", harmed)


def places(data: Path) -> tuple[list[Path], list[Path]]:
    """Files for training and for validation, as a training splits them."""
    part = open_data(str(data)).parts["train"]
    assert isinstance(part, PhotoPart)
    return tuple([data / part.names[i] for i in some] for some in split_validation(part.labels, seed=1))  # type: ignore[return-value]


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("of", [0, 1], ids=["training", "validation"])
def test_of_random_crops_it_is_named_once_and_the_training_goes_on(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], object], of: int
) -> None:
    victim = places(data)[of][0]
    break_after_the_check(monkeypatch, harm, victim)
    heard = Heard()
    assert run(request(data, recipe=CROPS), tmp_path / "run", heard).epochs == 3
    said = [text for text in heard.said if "could not be read any more" in text]
    assert len(said) == 1
    assert victim.name in said[0]
    assert len(epochs(tmp_path / "run")) == 3


@pytest.mark.parametrize("of", [0, 1], ids=["training", "validation"])
def test_of_random_crops_more_than_one_in_a_hundred_end_the_training(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, of: int
) -> None:
    break_after_the_check(monkeypatch, Path.unlink, *places(data)[of][:4])
    with pytest.raises(InputError, match="cannot be read any more"):
        run(request(data, recipe=CROPS), tmp_path / "run")


@pytest.mark.parametrize("harm", HARMS)
def test_of_rendered_pictures_it_is_named_and_the_others_are_trained_on(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], object]
) -> None:
    victim = next((data / "1").iterdir())
    break_after_the_check(monkeypatch, harm, victim)
    heard = Heard()
    run(request(data), tmp_path / "run", heard)
    assert any(victim.name in text and "left out" in text for text in heard.said)
    plain = shutil.copytree(data, tmp_path / "plain")
    (plain / "1" / victim.name).unlink(missing_ok=True)
    run(request(plain), tmp_path / "expected")
    losses = [[one.train_loss for one in epochs(tmp_path / name)] for name in ("run", "expected")]
    assert losses[0] == losses[1]
    run(request(data), tmp_path / "run")  # the same command finds its own training


def test_of_rendered_pictures_one_that_breaks_when_a_training_goes_on_is_refused(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Interrupted):
        run(request(data), tmp_path / "run", Heard(2))
    shutil.rmtree(tmp_path / "cache")
    break_after_the_check(monkeypatch, Path.unlink, next((data / "1").iterdir()))
    with pytest.raises(InputError, match="broke after the data was checked"):
        run(request(data), tmp_path / "run")
