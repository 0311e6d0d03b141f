"""A network in two processes, each with a section of it: the gradient, the state and the memory of one process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from tests.training.durable import states
from tests.training.test_world import GONE, Trainings
from tests.training.trainings import only
from triscale.nn import build
from triscale.weights import load as load_checkpoint

LINE = ("--pipeline", "2", "--microbatches", "4")


def run(out: Path, *cases: str) -> dict[str, Any]:
    """Let two processes of one thread run cases of `tests.training.pipelined`."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    told = subprocess.run(
        [*launcher, "tests.training.pipelined", str(out), *cases],
        capture_output=True, text=True, timeout=500, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))},
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = json.loads(out.read_text())
    return found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The small cases, in one start of the processes."""
    return run(tmp_path_factory.mktemp("small") / "out.json", "amoebanet", "mixed")


def assert_same(found: dict[str, Any]) -> None:
    assert found["same names"]
    assert found["gradient"] < 1e-5
    assert found["logits"] < 1e-5
    assert found["norm"][0] == pytest.approx(found["norm"][1], rel=1e-5)
    assert found["loss"][0] == pytest.approx(found["loss"][1], rel=1e-6)
    assert found["same state"]
    assert found["own back"]


@pytest.mark.parametrize(("case", "weights"), [("amoebanet", 241), ("mixed", 86)])
def test_the_gradient_of_every_weight_is_that_of_one_process(small: dict[str, Any], case: str, weights: int) -> None:
    """Which takes the same parts one after the other; cells computed again, images mixed, clipped over both."""
    assert small[case]["weights"] == weights
    assert_same(small[case])


@pytest.mark.parametrize("case", ["amoebanet", "mixed"])
def test_after_two_steps_weights_average_and_optimizer_are_those_of_one_process(
    small: dict[str, Any], case: str
) -> None:
    assert small[case]["state"] < 1e-5


@pytest.mark.slow
def test_the_gradient_of_b7_is_that_of_one_process(tmp_path: Path) -> None:
    found = run(tmp_path / "out.json", "b7")["b7"]
    assert found["weights"] == 711
    assert_same(found)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["amoebanet, gpipe", "bfloat16"])
def test_gpipe_and_bfloat16_give_the_gradient_of_one_process_too(tmp_path: Path, case: str) -> None:
    assert_same(run(tmp_path / "out.json", case)[case])


@pytest.mark.slow
@pytest.mark.parametrize("case", ["gpipe", "1f1b", "checkpointing", "cells"])
def test_the_memory_of_each_section_is_the_forecast(tmp_path: Path, case: str) -> None:
    found = run(tmp_path / "out.json", f"memory, {case}")[f"memory, {case}"]
    assert found["peaks"] == pytest.approx(found["forecast"], rel=0.03)


def pipelines(place: Path, epochs: int) -> Trainings:
    """Trainings whose recipe goes with a pipeline."""
    trainings = Trainings(place, epochs)
    recipe = place / "recipe.toml"
    recipe.write_text(recipe.read_text().replace("sync_norms = true\n", ""))
    return trainings


@pytest.mark.slow
def test_a_pipeline_trains_evaluates_and_leaves_the_whole_network(tmp_path: Path) -> None:
    trainings = pipelines(tmp_path, 2)
    trainings.whole("whole", 2, *LINE)
    assert [one.parts for one in trainings.epochs("whole")] == [4, 4]
    best = load_checkpoint(tmp_path / "whole" / "best.safetensors")
    build(best.spec).load_state_dict(best.state)
    assert 0 <= trainings.epochs("whole")[1].validation_top1 <= 1


@pytest.mark.slow
def test_a_stopped_pipeline_resumes_to_the_same_bits_and_one_process_goes_on_with_its_state(tmp_path: Path) -> None:
    trainings = pipelines(tmp_path, 12)
    trainings.whole("whole", 2, *LINE)
    process = trainings.begin("stopped", 2, *LINE)
    trainings.wait_for_a_state("stopped")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=GONE)
    assert only(tmp_path / "stopped").state == "running"
    (tmp_path / "alone").mkdir()
    for file in (tmp_path / "stopped").iterdir():
        (tmp_path / "alone" / file.name).write_bytes(file.read_bytes())
    trainings.whole("stopped", 2, *LINE)
    assert states(tmp_path / "stopped") == states(tmp_path / "whole")
    told = trainings.whole("alone", 1)  # a batch in the four parts that were micro-batches
    assert "processes 2 then, 1 now" in told
    for one, other in zip(trainings.epochs("alone"), trainings.epochs("whole"), strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-4)
        assert (one.samples, one.parts) == (other.samples, 4)
