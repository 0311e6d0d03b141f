"""Want of memory: halving keeps the batch and undoes what a failed try has counted."""

import re
from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.training.test_loop import NETWORK, pictures
from tests.training.trainings import inside
from triscale.costs import count, training_memory
from triscale.errors import OutOfMemoryError
from triscale.families import network
from triscale.nn import build
from triscale.spec import Network
from triscale.training import Recipe, Trainer, enough_memory
from triscale.training.learning.memory import SHARE, forecast_parts, forecast_text

WORDS = (
    RuntimeError("[enforce fail at alloc_cpu.cpp:125] . DefaultCPUAllocator: can't allocate memory: you tried ..."),
    RuntimeError("could not create a primitive"),
    RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("std::bad_alloc"),
    torch.OutOfMemoryError("CUDA out of memory"),
    MemoryError(),
)


def engine(most: int, error: BaseException) -> Trainer:
    """A training whose model takes `most` images at a time; it fails behind its first norms."""
    torch.manual_seed(0)
    model = build(NETWORK)

    def narrow(_: object, batch: tuple[torch.Tensor]) -> None:
        if len(batch[0]) > most:
            raise error

    model.head.register_forward_pre_hook(narrow)
    return Trainer(model, Recipe(), 1)


@pytest.mark.parametrize("error", WORDS, ids=lambda one: f"{type(one).__name__} {str(one)[-20:]}")
def test_parts_are_halved_until_they_fit_as_if_they_had_been_from_the_start(error: BaseException) -> None:
    halved, known = engine(8, error), engine(32, error)
    halved.halving, known.parts = True, 4
    for one in (halved, known):
        one.learn(*pictures(32))
    assert halved.parts == 4
    ours, theirs = halved.model.state_dict(), known.model.state_dict()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


def test_two_pictures_at_a_time_are_the_least() -> None:
    one = engine(1, RuntimeError("std::bad_alloc"))
    one.halving = True
    with pytest.raises(OutOfMemoryError, match="at batch 32; buy memory"), enough_memory(NETWORK, 32, "buy memory"):
        one.learn(*pictures(32))
    assert one.parts == 16


def test_another_error_is_not_taken_for_want_of_memory() -> None:
    one = engine(8, RuntimeError("shapes do not fit"))
    one.halving = True
    with pytest.raises(RuntimeError, match="shapes do not fit"), enough_memory(NETWORK, 32, ""):
        one.learn(*pictures(32))


def test_without_leave_to_halve_it_is_an_error() -> None:
    one = engine(8, MemoryError())
    with pytest.raises(OutOfMemoryError), enough_memory(NETWORK, 32, "use --batch auto"):
        one.learn(*pictures(32))
    assert one.parts == 1


def test_the_forecast_splits_what_no_machine_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside("learning.memory"), "machine", lambda: {"memory": 2_000_000})
    cpu = torch.device("cpu")
    parts = forecast_parts(NETWORK, Recipe(batch=1024), cpu)
    assert 1 < parts <= 512
    monkeypatch.setattr(inside("learning.memory"), "machine", lambda: {"memory": None})
    assert forecast_parts(NETWORK, Recipe(batch=1024), cpu) == 1


def parts(memory: int, of: Network = NETWORK, *, checkpointing: bool = False, **recipe: Any) -> int:
    """Of a batch, by the forecast for a machine of so many bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inside("learning.memory"), "machine", lambda: {"memory": memory})
        return forecast_parts(of, Recipe(**recipe), torch.device("cpu"), checkpointing)


def test_the_forecast_knows_what_the_recipe_keeps() -> None:
    plain = parts(5_000_000, batch=4096)
    assert parts(5_000_000, batch=4096, checkpointing=True) < plain
    assert parts(5_000_000, batch=4096, precision="bfloat16") < plain
    heavy = replace(network("resnet18"), resolution=(32, 32))
    plain = parts(400_000_000, heavy, batch=1024)
    assert plain < parts(400_000_000, heavy, batch=1024, ema=0.99)
    assert parts(400_000_000, heavy, batch=1024, optimizer="sgd") < plain


def test_the_forecast_names_tensors_and_kernels() -> None:
    of = replace(network("resnet18"), resolution=(64, 64))
    text = forecast_text(of, Recipe(batch=64, optimizer="sgd"), 8, torch.device("cpu"))
    assert re.fullmatch(
        r"a batch of 64 in 8 parts of 8 is forecast to take 144.3\d* MiB of tensors and .* for kernels .*", text
    )
    assert "kernels" not in forecast_text(of, Recipe(batch=64), 1, torch.device("meta"))


def test_a_batch_in_parts_leaves_room_for_the_gradient_of_those_before() -> None:
    together = int(training_memory(NETWORK, 64, "adamw") / SHARE) + 1
    assert parts(together, batch=64) == 1
    found = parts(together - 8, batch=64)
    largest = -(-64 // found)
    assert training_memory(NETWORK, largest, "adamw") + 4 * count(NETWORK).params <= SHARE * together
