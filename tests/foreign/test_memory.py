"""Memory of foreign networks against our own cost of our own networks, which another bookkeeping was the oracle of."""

import pytest

from tests.foreign import models
from tests.nn.networks import TINY
from triscale.costs import Optimizer, Precision
from triscale.costs import inference_memory as own_inference
from triscale.costs import training_memory as own_training
from triscale.errors import InputError, UsageError
from triscale.foreign import inference_memory, training_memory
from triscale.nn import build
from triscale.spec import ForeignNetwork

HERE = "tests.foreign.models"


@pytest.mark.parametrize("kind", ["mbconv", "basic"])
@pytest.mark.parametrize(("optimizer", "precision"), [("sgd", "float32"), ("adam", "bfloat16"), ("rmsprop", "float32")])
def test_memory_is_what_it_is_for_the_same_network_of_ours(
    kind: str, optimizer: Optimizer, precision: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = TINY[kind]
    monkeypatch.setattr(models, "ours", lambda: build(ours), raising=False)
    foreign = ForeignNetwork(f"{HERE}:ours", resolution=ours.resolution, input_channels=ours.input_channels)
    for ema in (False, True):
        found = training_memory(foreign, 8, optimizer, precision=precision, ema=ema)
        assert found == pytest.approx(own_training(ours, 8, optimizer, precision=precision, ema=ema), rel=0.005)
    assert inference_memory(foreign, 4) == pytest.approx(own_inference(ours, 4), rel=0.005)


def test_a_network_that_reads_numbers_while_it_is_built_has_its_memory_counted() -> None:
    plain, reading = (ForeignNetwork(f"{HERE}:{name}", resolution=(20, 20)) for name in ("tiny", "reads_numbers"))
    assert training_memory(reading, 4) == training_memory(plain, 4)


def test_a_network_that_reads_numbers_while_it_runs_has_its_memory_counted() -> None:
    """It runs for real; the comparison with 0 makes one number more."""
    plain, reading = (ForeignNetwork(f"{HERE}:{name}", resolution=(20, 20)) for name in ("tiny", "branches"))
    assert training_memory(reading, 4) == pytest.approx(training_memory(plain, 4), abs=16)
    assert inference_memory(reading, 4) == pytest.approx(inference_memory(plain, 4), abs=16)


def test_memory_of_what_cannot_be_is_rejected() -> None:
    with pytest.raises(InputError, match="20x20 px failed on an image"):
        inference_memory(ForeignNetwork(f"{HERE}:fixed_size", resolution=(20, 20)))
    with pytest.raises(UsageError, match="batch is 0"):
        training_memory(ForeignNetwork(f"{HERE}:tiny", resolution=(20, 20)), 0)
    with pytest.raises(UsageError, match="unknown optimizer"):
        training_memory(ForeignNetwork(f"{HERE}:tiny"), 1, "lion")  # type: ignore[arg-type]
