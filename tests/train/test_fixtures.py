"""What released versions wrote is read for ever, and the arithmetic of a training is that of a stored trace."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.fixtures import make
from triscale._version import __version__
from triscale.train import Keeper
from triscale.weights import load

VERSIONS = sorted(path.stem.partition("-")[2] for path in make.FOLDER.glob("checkpoint-*.safetensors"))


def expected(version: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((make.FOLDER / f"expected-{version}.json").read_text())
    return found


def same_arithmetic(then: dict[str, Any]) -> bool:
    """Whether torch and the instructions of the processor are those of the file."""
    return make.where().items() <= then.items()


def test_there_are_fixtures_of_a_version_that_is_released() -> None:
    """Whoever releases it makes them; a version under development has none yet."""
    assert __version__ in VERSIONS or ".dev" in __version__


@pytest.mark.parametrize("version", VERSIONS)
def test_a_checkpoint_of_a_released_version_predicts_as_it_did(version: str) -> None:
    checkpoint, told = load(make.FOLDER / f"checkpoint-{version}.safetensors"), expected(version)
    assert checkpoint.classes == tuple(told["classes"])
    with torch.no_grad():
        logits = checkpoint.model()(make.batch(0)[0])
    wanted = torch.tensor(told["logits"])
    assert wanted.std() > 0.05, "they say something"
    assert (logits - wanted).abs().max() <= 1e-5


@pytest.mark.parametrize("version", VERSIONS)
def test_a_training_of_a_released_version_goes_on(tmp_path: Path, version: str) -> None:
    (tmp_path / "last.safetensors").write_bytes((make.FOLDER / f"state-{version}.safetensors").read_bytes())
    one, told = make.engine(), expected(version)
    assert Keeper(tmp_path, make.KEY, every=1e9).restore(one)
    assert (one.step, one.epoch, one.skipped) == (told["step"], 1, [])
    near = 1e-6 if same_arithmetic(told) else 1e-3
    assert list(make.learned(one, 5)) == pytest.approx(told["losses"], abs=near)


def test_fifty_steps_follow_the_golden_trace() -> None:
    """Loss, learning rate and moving average, with warm-up, mixup, clipping and RMSProp on."""
    wanted = json.loads((make.FOLDER / "trace.json").read_text())
    found = make.trace()
    near = 1e-6 if same_arithmetic(wanted) else 1e-3
    assert len(found["loss"]) == 50
    assert found["learning_rate"] == pytest.approx(wanted["learning_rate"], rel=1e-12)
    assert found["loss"] == pytest.approx(wanted["loss"], abs=near)
    assert found["average"] == pytest.approx(wanted["average"], rel=near)
