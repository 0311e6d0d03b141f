"""What is computed on a GPU is computed there alone: by torch's shadow tensors, and on a real GPU where there is one.

A shadow tensor (FakeTensor) has a device and no content: an operation on two devices fails as it would on a GPU, and
reading a number is refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import unwrap

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from tests.train.test_loop import NETWORK, Listed, pictures
from triscale.data.batches import moved
from triscale.evaluate import count_correct, top1
from triscale.explain import class_activation_maps
from triscale.nn import Model, build, device_of, synchronize
from triscale.train import Engine, Recipe, train

GPU = torch.device("cuda", 0)
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU on this machine")


@contextmanager
def shadow_gpu() -> Iterator[Model]:
    """A model on a GPU that need not be there."""
    with FakeTensorMode(allow_non_fake_inputs=True):
        with torch.device(GPU):
            model = build(NETWORK)
        yield model


class Made(Listed):
    """Batches that were made before."""

    def __init__(self, real: list[tuple[Tensor, Tensor]]) -> None:
        self._real = real

    def batches(self, epoch: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The same in every epoch."""
        del epoch
        return iter(self._real[first:])


def test_batches_go_where_they_are_sent() -> None:
    real = [pictures(4), pictures(2)]
    with FakeTensorMode(allow_non_fake_inputs=True):
        assert [{t.device for t in batch} for batch in moved(real, GPU)] == [{GPU}, {GPU}]
    assert all(torch.equal(a, b) for a, b in zip(next(moved(real, torch.device("cpu"))), real[0], strict=True))


def test_training_and_testing_stay_on_the_gpu_until_a_number_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a step the one number that is read is whether it is finite; of a test, how many are correct."""
    real = list(Listed().batches(0))
    seen: list[torch.device] = []
    monkeypatch.setattr(Tensor, "backward", lambda _: None)  # its engine asks the driver
    with shadow_gpu() as model:
        model.register_forward_hook(lambda _, __, logits: seen.append(logits.device))
        engine = Engine(model, Recipe(epochs=1), Listed.steps)
        with pytest.raises(DataDependentOutputException):
            train(engine, Made(real), lambda _: 0.0)
        assert (seen, engine.loss_sum.device) == ([GPU], GPU)
        with pytest.raises(DataDependentOutputException):
            unwrap(count_correct)(model, real)  # shadows cannot be used in inference mode
        assert seen == [GPU] * (1 + len(real))


def test_activation_maps_come_back_to_the_cpu() -> None:
    images, _ = pictures(3)
    with shadow_gpu() as model:
        logits, maps = unwrap(class_activation_maps)(model, images)
    assert (logits.device.type, maps.device.type) == ("cpu", "cpu")


def test_where_a_model_lies() -> None:
    with shadow_gpu() as model:
        assert device_of(model) == GPU
    assert device_of(build(NETWORK)) == torch.device("cpu")
    synchronize(torch.device("cpu"))


@needs_gpu
def test_a_gpu_learns_what_the_cpu_learns() -> None:
    torch.manual_seed(0)
    model = build(NETWORK).to(GPU)
    outcome = train(Engine(model, Recipe(epochs=4), 4), Listed(), lambda m: top1(m, [pictures(64)]))
    assert outcome.history[-1].validation_top1 > 0.95
    on_gpu = class_activation_maps(model, pictures(8)[0])
    on_cpu = class_activation_maps(model.cpu(), pictures(8)[0])
    assert all(torch.allclose(a, b, atol=1e-2) for a, b in zip(on_gpu, on_cpu, strict=True))
