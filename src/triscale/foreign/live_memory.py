"""Memory of a foreign network before a run: torch's own bookkeeping of a pass over tensors without data.

What is counted are tensors that live at once. What kernels take beside them, and what the process holds, is not.
A network whose code reads numbers runs for real, which takes that memory.
"""

import copy
import weakref
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeCopyMode, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from triscale.costs import Optimizer, Precision
from triscale.costs.allowed_words import require_allowed
from triscale.costs.memory.forecast import STATES
from triscale.errors import InputError, UsageError
from triscale.foreign.building import ForeignModel, build, run
from triscale.foreign.counting import known
from triscale.spec import ForeignNetwork


class _Pass(NamedTuple):
    """Bytes of a pass: the most that lives at once, parameters that are trained, the largest of them, buffers."""

    peak: int
    trained: int
    largest: int
    buffers: int


def inference_memory(network: ForeignNetwork, batch: int = 1) -> int:
    """Peak bytes of tensors in inference in fp32: parameters, buffers, the batch of images, and the most in between.

    Raises:
        UsageError: the batch is below 1.
        InputError: the network cannot be built or run.
    """
    return _passed(known(network), _checked(batch), "float32", training=False).peak


def training_memory(
    network: ForeignNetwork,
    batch: int,
    optimizer: Optimizer = "sgd",
    *,
    precision: Precision = "float32",
    ema: bool = False,
) -> int:
    """Peak bytes of tensors in training: those of a step, and the optimizer's state as in `triscale.cost`.

    Args:
        network: its path is imported.
        batch: images in a step, all at once.
        optimizer: see `triscale.costs.training_forecast`.
        precision: "float32", or "bfloat16" by autocast.
        ema: a moving average of parameters and buffers is kept.

    Raises:
        UsageError: an unknown optimizer or precision, or a batch below 1.
        InputError: as in `inference_memory`; or the network returns no logits in training.
    """
    require_allowed("optimizer", optimizer, STATES)
    require_allowed("precision", precision, ("float32", "bfloat16"))
    step, state = _passed(known(network), _checked(batch), precision, training=True), STATES[optimizer]
    average = step.trained + step.buffers if ema else 0
    update = step.trained * (2 + state.of_all) + step.buffers + state.transient * step.largest
    return max(step.peak, update) + step.trained * state.kept + average


@lru_cache(maxsize=256)
def _passed(network: ForeignNetwork, batch: int, precision: Precision, *, training: bool) -> _Pass:
    fake = FakeTensorMode()
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        try:
            return _watched(_without_data(network, fake), batch, precision, fake, training=training)
        except InputError:  # its code reads numbers
            return _watched(build(network), batch, precision, nullcontext(), training=training)


def _watched(
    model: ForeignModel,
    batch: int,
    precision: Precision,
    mode: AbstractContextManager[object],
    *,
    training: bool,
) -> _Pass:
    model.train(training)
    with mode, _Live() as live:
        live.see(*model.parameters(), *model.buffers())
        images = torch.zeros(batch, model.network.input_channels, *model.network.resolution)
        _step(model, images, precision) if training else _infer(model, images)
    trained = [one.untyped_storage().nbytes() for one in model.parameters() if one.requires_grad]
    buffers = sum(one.untyped_storage().nbytes() for one in model.buffers())
    return _Pass(live.peak, sum(trained), max(trained), buffers)


def _without_data(network: ForeignNetwork, fake: FakeTensorMode) -> ForeignModel:
    """The module on tensors without data; one whose code reads numbers while it is built is copied onto them."""
    try:
        with fake:
            return build(network)
    except InputError:
        real = build(network)
    with FakeCopyMode(fake):
        return copy.deepcopy(real)


def _infer(model: ForeignModel, images: torch.Tensor) -> None:
    with torch.no_grad():
        run(model, images)


def _step(model: ForeignModel, images: torch.Tensor, precision: Precision) -> None:
    labels = torch.zeros(len(images), dtype=torch.long)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        logits = run(model, images)
    loss = nn.functional.cross_entropy(logits.float(), labels)
    del logits
    loss.backward()  # type: ignore[no-untyped-call]


def _checked(batch: int) -> int:
    if type(batch) is not int or batch < 1:
        raise UsageError(f"batch is {batch!r}; give a whole number above 0")
    return batch


class _Live(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the storages of tensors, for as long as somebody holds them.

    Attributes:
        live, peak: bytes now, and at most.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live = self.peak = 0
        self._held: dict[int, weakref.ref[torch.UntypedStorage]] = {}

    def see(self, *tensors: torch.Tensor) -> None:
        """Count their storages, each once."""
        for storage in (one.untyped_storage() for one in tensors):
            if storage._cdata not in self._held:  # noqa: SLF001  torch has no public identity of a storage
                self._hold(storage, storage._cdata, storage.nbytes())  # noqa: SLF001

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        found = func(*args, **(kwargs or {}))
        self.see(*(one for one in tree_leaves(found) if isinstance(one, torch.Tensor)))
        return found

    def _hold(self, storage: torch.UntypedStorage, key: int, size: int) -> None:
        def gone(_: object) -> None:
            del self._held[key]
            self.live -= size

        self._held[key] = weakref.ref(storage, gone)
        self.live += size
        self.peak = max(self.peak, self.live)
