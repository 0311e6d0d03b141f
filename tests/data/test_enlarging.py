"""Images that are much smaller than what a network takes are named, with what to do."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.cli.conftest import run as run  # noqa: PLC0414  the fixture
from triscale.data.checks.enlarging import advice_for, enlarging
from triscale.scaling import network
from triscale.spec import ForeignNetwork


@pytest.mark.parametrize("native", [None, (224, 224), (190, 300), (500, 375)])
def test_images_of_about_the_size_are_not_mentioned(native: tuple[int, int] | None) -> None:
    assert enlarging(network("b0"), native) is None
    assert advice_for(native) is None


def test_what_is_proposed_takes_the_images_as_they_are() -> None:
    text = enlarging(network("b0"), (48, 48))
    assert text is not None
    assert "the images have 48 px and efficientnet_b0 takes 224 px" in text
    assert "22 times the work" in text
    assert "smallnet_48" in text
    scaled = network(f"efficientnet_b0@resolution={text.partition('@resolution=')[2].split()[0]}")
    assert scaled.resolution == (48, 48)
    assert enlarging(scaled, (48, 48)) is None
    assert enlarging(network("smallnet_48"), (48, 48)) is None


def test_larger_small_images_and_own_code_have_their_advice() -> None:
    assert "smallnet" not in str(enlarging(network("b7"), (160, 160)))
    assert "Better: give your code fewer pixels." in str(
        enlarging(ForeignNetwork("my_models:build", resolution=224), (48, 48))
    )


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Two classes of a few images of 48 px."""
    draws = np.random.default_rng(0)
    for split, number in (("train", 12), ("test", 4)):
        for name in ("a", "b"):
            (tmp_path / "data" / split / name).mkdir(parents=True)
            for index in range(number):
                pixels = draws.integers(0, 256, (48, 48, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "data" / split / name / f"{index}.png")
    return tmp_path / "data"


def test_check_train_and_study_say_it_in_one_line(run: Run, small: Path, tmp_path: Path) -> None:
    assert run("check", small).out.count("Better: smallnet_48, or the network at 48 px") == 1
    assert "smallnet_48" in run("check", small, "--json").json["advice"]
    words = "resolution=4.0 takes 128 px: enlarging them costs 7 times the work"
    asked = ("--data", small, "--epochs", "2", "--batch", "4", "--device", "cpu", "--threads", "1")
    trained = run(
        "train", "--network", "smallnet_32@resolution=4", *asked, "--loader-workers", "0", "--out", tmp_path / "r"
    )
    assert trained.code == 0, trained.err
    assert trained.err.count(words) == 1
    planned = run("study", "smallnet_32@resolution=4", *asked, "--phi", "1", "--plan", "--candidates", "4")
    assert planned.err.count(words) == 1
