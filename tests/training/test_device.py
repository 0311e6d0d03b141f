"""What is computed on a GPU is computed there alone: by torch's shadow tensors, and on a real GPU where there is one.

A shadow tensor (FakeTensor) has a device and no content: an operation on two devices fails as it would on a GPU, and
reading a number is rejected.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import unwrap
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from tests.training.test_loop import NETWORK, Listed, pictures
from triscale.cli.commands.train import _place
from triscale.cli.options.compute import Compute
from triscale.data.feed.in_memory import moved
from triscale.errors import InputError, UsageError
from triscale.evaluation import right_answers, top1
from triscale.explanation import class_activation_maps
from triscale.nn import Model, build, device_of, synchronise_norms, synchronize
from triscale.training import Recipe, Trainer, World, joined, train
from triscale.training.distributed import processes
from triscale.training.learning.norms import norms_of
from triscale.training.learning.optim import _spared

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
    """Of a step the one number that is read is whether it is finite; of a test, none."""
    real = list(Listed().batches(0))
    seen: list[torch.device] = []
    monkeypatch.setattr(Tensor, "backward", lambda _: None)  # its engine asks the driver
    with shadow_gpu() as model:
        model.register_forward_hook(lambda _, __, logits: seen.append(logits.device))
        engine = Trainer(model, Recipe(epochs=1), Listed.steps)
        with pytest.raises(DataDependentOutputException):
            train(engine, Made(real), lambda _: 0.0)
        assert (seen, engine.loss_sum.device) == ([GPU], GPU)
        right = unwrap(right_answers)(model, real)  # shadows cannot be used in inference mode
        assert right.device == GPU
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


@pytest.mark.gpu
@needs_gpu
def test_a_gpu_learns_what_the_cpu_learns() -> None:
    torch.manual_seed(0)
    model = build(NETWORK).to(GPU)
    outcome = train(Trainer(model, Recipe(epochs=4), 4), Listed(), lambda m: top1(m, [pictures(64)]))
    assert outcome.history[-1].validation_top1 > 0.95
    on_gpu = class_activation_maps(model, pictures(8)[0])
    on_cpu = class_activation_maps(model.cpu(), pictures(8)[0])
    assert all(torch.allclose(a, b, atol=1e-2) for a, b in zip(on_gpu, on_cpu, strict=True))


@pytest.mark.parametrize(
    ("device", "local_rank", "own"), [(None, 0, 0), (None, 1, 1), ("cuda", 1, 1), ("CUDA", 0, 0), ("cuda:1", 0, 1)]
)
def test_each_process_of_a_machine_has_a_gpu_of_its_own(
    device: str | None, local_rank: int, own: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NCCL ends a training in which two processes hold the same one."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert _place(Compute(device=device), World(2 + local_rank, 4, local_rank)) == torch.device("cuda", own)


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(InputError, match=r"process 2 has no GPU of its own: it is number 3 on a machine that has 2\."):
        _place(Compute(), World(2, 3, 2))
    with pytest.raises(UsageError, match="--device cuda:0 is one GPU for several processes"):
        _place(Compute(device="cuda:0"), World(1, 2, 1))
    assert _place(Compute(device="cpu"), World(2, 3, 2)) == torch.device("cpu")


def test_processes_talk_over_the_gpu_that_they_compute_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What torch says about objects goes over the current GPU, which for all processes would be the first."""
    done: list[tuple[Any, ...]] = []
    monkeypatch.setattr(torch.cuda, "set_device", lambda gpu: done.append(("current", gpu)))
    monkeypatch.setattr(
        dist, "init_process_group", lambda kind, **how: done.append((kind, how["rank"], how["device_id"]))
    )
    for name in ("barrier", "destroy_process_group"):
        monkeypatch.setattr(dist, name, lambda: None)
    monkeypatch.setattr(
        processes, "rendezvous", lambda *_, **__: iter([(torch._C._distributed_c10d.HashStore(), 1, 2)])
    )
    with joined(World(1, 2, 1), torch.device("cuda", 1)):
        assert done == [("current", torch.device("cuda", 1)), ("nccl", 1, torch.device("cuda", 1))]


def test_synchronised_norms_of_a_gpu_stay_norms() -> None:
    """Torch's own, which GPUs take, is no `nn.BatchNorm2d`: statistics and decay must find it all the same."""
    with shadow_gpu() as model:
        recipe = Recipe(optimizer="rmsprop", decayed="all_but_norms")
        names, spared = [type(one) for one in norms_of(model)], len(_spared(model, recipe))
        synchronise_norms(model)
        assert {type(one) for one in norms_of(model)} == {nn.SyncBatchNorm}
        assert (len(norms_of(model)), len(_spared(model, recipe))) == (len(names), spared)
