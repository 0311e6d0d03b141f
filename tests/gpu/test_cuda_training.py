"""A training on a GPU: it learns what the CPU learns, repeats itself, resumes, and fits into memory as forecast."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.test_feed import GREY, IMAGENET, require_equal_batches
from tests.training.test_loop import NETWORK
from tests.training.trainings import RECIPE, Heard, kept, only, request
from triscale.data.feed.in_memory import Augmentation
from triscale.errors import OutOfMemoryError
from triscale.families import network
from triscale.foreign import training_forecast_any
from triscale.nn import build
from triscale.training import Interrupted, Recipe, Trainer, TrainRequest, numerics_here, train_request
from triscale.training.distributed.processes import ALONE
from triscale.training.learning.memory import enough_memory
from triscale.trials import Execution, Trial

FLOAT32 = replace(RECIPE, precision="float32")
QUIET = replace(NETWORK, stochastic_depth=0.0)
TOLERANCE = 0.35
"""Of the forecast of memory: on a GPU the workspaces of cuDNN come on top, and layouts that it wants are copies."""


def run(asked: TrainRequest, folder: Path, heard: Heard | None = None, device: str = "cuda", **how: Any) -> Trial:
    """Train, or resume, on a device."""
    return train_request(asked, folder, numerics_here(device, 1), Execution(**how), heard or Heard(), ALONE)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """What a training kept."""
    return dict(kept(folder).state)


def require_equal(one: Path, two: Path) -> None:
    """Every tensor of two trainings, bit for bit."""
    ours, theirs = weights(one), weights(two)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


@pytest.mark.parametrize("augmentation", [Augmentation(), Augmentation(flip=False, shift=0.9)])
def test_batches_that_a_gpu_makes_are_those_of_the_cpu(gpu: torch.device, augmentation: Augmentation) -> None:
    require_equal_batches(gpu, IMAGENET, augmentation)
    require_equal_batches(gpu, GREY, augmentation)


@pytest.mark.usefixtures("repeatable")
def test_the_loss_falls_as_on_the_cpu(data: Path, tmp_path: Path) -> None:
    """Without draws in the network, which each device makes in its own way; equal first weights and batches."""
    asked = request(data, network=QUIET, recipe=replace(FLOAT32, epochs=4, learning_rate=2e-3))
    on_cpu, on_gpu = (run(asked, tmp_path / device, device=device).history for device in ("cpu", "cuda"))
    assert [one.train_loss for one in on_gpu] == pytest.approx([one.train_loss for one in on_cpu], rel=5e-3)
    assert [one.gradient_norm for one in on_gpu] == pytest.approx([one.gradient_norm for one in on_cpu], rel=0.1)


@pytest.mark.usefixtures("repeatable")
def test_a_training_that_was_interrupted_ends_in_the_same_bits(data: Path, tmp_path: Path) -> None:
    asked = request(data, recipe=FLOAT32)
    run(asked, tmp_path / "whole")
    for after in (2, 9):
        with pytest.raises(Interrupted):
            run(asked, tmp_path / "parts", Heard(stop_after=after))
    run(asked, tmp_path / "parts")
    require_equal(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.usefixtures("repeatable")
def test_gradient_checkpointing_on_a_gpu_ends_in_the_same_bits(data: Path, tmp_path: Path) -> None:
    asked = request(data, recipe=FLOAT32)
    for name, again in (("kept", False), ("again", True)):
        run(asked, tmp_path / name, gradient_checkpointing=again)
    require_equal(tmp_path / "kept", tmp_path / "again")


def test_auto_precision_on_a_gpu_is_bfloat16_and_weights_stay_float32(data: Path, tmp_path: Path) -> None:
    trial = run(request(data, recipe=replace(RECIPE, precision="auto")), tmp_path / "auto")
    expected = "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    assert trial.job.recipe.precision == expected
    assert {one.dtype for one in weights(tmp_path / "auto").values() if one.is_floating_point()} == {torch.float32}
    assert all(0 < one.train_loss < 5 for one in trial.history)


def test_the_trial_of_a_gpu_names_it(data: Path, tmp_path: Path, gpu: torch.device) -> None:
    run(request(data), tmp_path / "one")
    trial = only(tmp_path / "one")
    assert trial.machine["gpu"] == torch.cuda.get_device_name(gpu)
    assert trial.numerics is not None
    assert trial.numerics.device == "cuda:0"


def one_step(engine: Trainer, batch: int, side: int) -> None:
    """On random images."""
    images = torch.randn(batch, 3, side, side, device=engine.device).contiguous(memory_format=torch.channels_last)
    engine.learn(images, torch.arange(batch, device=engine.device) % 10)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(("name", "side", "batch"), [("efficientnet_b0", 224, 32), ("resnet50", 224, 32)])
def test_the_memory_of_a_step_is_as_forecast(
    name: str, side: int, batch: int, precision: Any, gpu: torch.device
) -> None:
    of = replace(network(name), resolution=(side, side))
    model = build(of).to(gpu, memory_format=torch.channels_last)  # type: ignore[call-overload]
    engine = Trainer(model, Recipe(optimizer="adamw", precision=precision), 10)
    one_step(engine, batch, side)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    one_step(engine, batch, side)
    torch.cuda.synchronize()
    measured = torch.cuda.max_memory_allocated()
    forecast = training_forecast_any(of, batch, "adamw", precision=precision).kept
    print(f"{name} {precision}: forecast {forecast / 2**20:.0f} MiB, measured {measured / 2**20:.0f} MiB")
    assert measured == pytest.approx(forecast, rel=TOLERANCE)


@pytest.fixture
def _little_memory(gpu: torch.device) -> Any:
    """As if the GPU had a GiB for this process."""
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(gpu).total_memory
    torch.cuda.set_per_process_memory_fraction(2**30 / total, gpu)
    yield
    torch.cuda.set_per_process_memory_fraction(1.0, gpu)
    torch.cuda.empty_cache()


@pytest.mark.usefixtures("_little_memory")
def test_a_batch_that_is_far_too_large_is_halved_or_ends_with_exit_code_71(gpu: torch.device) -> None:
    of = replace(network("efficientnet_b0"), resolution=(128, 128))
    engine = Trainer(build(of).to(gpu), Recipe(precision="float32"), 10)
    with (
        pytest.raises(OutOfMemoryError, match="at batch 256; buy memory") as caught,
        enough_memory(of, 256, "buy memory"),
    ):
        one_step(engine, 256, 128)
    assert caught.value.exit_code == 71
    del caught  # its traceback holds the tensors of the step
    torch.cuda.empty_cache()
    engine.halving = True
    one_step(engine, 256, 128)
    assert engine.parts >= 2
    assert engine.step == 1
