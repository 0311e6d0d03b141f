"""A command line run in this process, a tiny data set, and one finished study that many tests read."""

import json
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from triscale.cli import main

QUESTION = (
    "smallnet_24@resolution=0.34",
    "--phi",
    "1",
    "--candidates",
    "4",
    "--seeds",
    "1",
    "--epochs",
    "2",
    "--train-size",
    "40",
    "--device",
    "cpu",
    "--jobs",
    "1",
)


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout; a second one, or NaN, is rejected."""
        return json.loads(self.out, parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


Run = Callable[..., Answer]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process."""

    def command(*arguments: object) -> Answer:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Answer(code, *capsys.readouterr())

    return command


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Class folders of 16 px images: `red` and `green` ones in noise, 30 for training and 8 for the test of each."""
    root, draws = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for split, count in (("train", 30), ("test", 8)):
        for channel, name in enumerate(("red", "green")):
            folder = root / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = draws.integers(0, 120, (16, 16, 3), dtype=np.uint8)
                pixels[..., channel] += 120
                Image.fromarray(pixels).save(folder / f"{index}.png")
    return root


@pytest.fixture(scope="session")
def studied(tmp_path_factory: pytest.TempPathFactory, pictures: Path, _cache: None) -> Path:
    """The folder of a finished study, whose name relative to the place of the command is `run`."""
    place = tmp_path_factory.mktemp("studied")
    with chdir(place):
        assert main(["study", *QUESTION, "--data", str(pictures), "--out", "run"]) == 0
    return place / "run"
