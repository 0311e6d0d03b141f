"""bfloat16 where it is slow: `auto` leaves it out, a recipe that asks for it is warned, a training keeps its own."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.durable import states
from tests.training.pictures import class_folders
from tests.training.trainings import RECIPE, Heard, inside, only, request, run
from triscale.training import Interrupted, Recipe
from triscale.training.learning.precision import NO_INSTRUCTIONS, slow_bfloat16
from triscale.weights import load

CPU = torch.device("cpu")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    return class_folders(tmp_path / "data")


def recipe(precision: str) -> Recipe:
    return Recipe(**asdict(RECIPE) | {"precision": precision})


def processor(monkeypatch: pytest.MonkeyPatch, *, fast: bool | None, kernels: bool = True) -> None:
    """As if the processor were such a one."""
    monkeypatch.setattr(inside("learning.precision"), "bfloat16_is_fast", lambda: fast)
    monkeypatch.setattr(inside("request").native, "available", lambda: kernels)


@pytest.mark.parametrize(
    ("fast", "kernels", "why"),
    [
        (True, True, None),
        (True, False, "compiled kernels are not used"),
        (False, True, NO_INSTRUCTIONS),
        (None, True, "the system does not say what its processor can do"),
    ],
)
def test_bfloat16_is_fast_by_instructions_and_kernels(
    monkeypatch: pytest.MonkeyPatch, why: str | None, *, fast: bool | None, kernels: bool
) -> None:
    processor(monkeypatch, fast=fast)
    assert slow_bfloat16(CPU, kernels=kernels) == why


def test_a_device_that_nobody_measured_keeps_to_float32() -> None:
    assert slow_bfloat16(torch.device("mps"), kernels=True) == "bfloat16 was not measured on mps"


def test_onednn_held_to_avx2_has_no_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """On this very machine, whatever it can do."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert slow_bfloat16(CPU, kernels=True) in {NO_INSTRUCTIONS, "the system does not say what its processor can do"}


@pytest.mark.parametrize(
    ("fast", "kernels", "options", "taken"),
    [
        (True, True, {}, "bfloat16"),
        (False, True, {}, "float32"),
        (None, True, {}, "float32"),
        (True, False, {}, "float32"),
        (True, True, {"kernels": False}, "float32"),
    ],
)
def test_auto_takes_bfloat16_where_it_is_fast(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, taken: str, options: dict[str, Any], *,
    fast: bool | None, kernels: bool,
) -> None:  # fmt: skip
    """The record says which, and the result is that of a recipe that names it."""
    processor(monkeypatch, fast=fast, kernels=kernels)
    heard = Heard()
    run(request(data, recipe=recipe("auto")), tmp_path / "auto", heard, **options)
    run(request(data, recipe=recipe(taken)), tmp_path / "named", **options)
    assert any(text.startswith(f"precision: {taken}; ") for text in heard.said)
    assert only(tmp_path / "auto").job.recipe.precision == taken
    ours, named = (load(tmp_path / name / "best.safetensors").state for name in ("auto", "named"))
    assert all(torch.equal(ours[name], named[name]) for name in named)


def test_a_training_resumes_in_the_precision_in_which_it_began(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine where `auto` would choose the other one."""
    auto = recipe("auto")
    processor(monkeypatch, fast=True)
    run(request(data, recipe=auto), tmp_path / "whole")
    with pytest.raises(Interrupted):
        run(request(data, recipe=auto), tmp_path / "run", Heard(3))
    processor(monkeypatch, fast=False)
    heard = Heard()
    run(request(data, recipe=auto), tmp_path / "run", heard)
    assert states(tmp_path / "run") == states(tmp_path / "whole")
    assert any("several times slower" in text for text in heard.said)


@pytest.mark.parametrize(
    ("precision", "fast", "warned"),
    [("bfloat16", False, True), ("bfloat16", True, False), ("bfloat16", None, False), ("float32", False, False)],
)
def test_bfloat16_without_instructions_is_warned_of_before_the_training(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, precision: str, *, fast: bool | None, warned: bool
) -> None:
    processor(monkeypatch, fast=fast)
    heard = Heard(1)
    with pytest.raises(Interrupted):
        run(request(data, recipe=recipe(precision)), tmp_path / "run", heard)
    told = [text for text in heard.said if text.startswith("warning: torch has no bf16 instructions")]
    assert len(told) == warned
