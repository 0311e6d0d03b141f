"""The file of a network before it is trained: its bytes and its time are those of the trained one."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from triscale.costs import Target
from triscale.deploy import kind_of
from triscale.deploy.about import About
from triscale.deploy.exported import Floats, RunLogits
from triscale.deploy.proven_export import proven
from triscale.engines import engine_named
from triscale.intervals import interval
from triscale.latency.latency_metric import LATENCY
from triscale.nn import Model, build
from triscale.spec import Network
from triscale.trained_on import TrainedOn
from triscale.weights import classifier_of

FILE_SIZE = "file_size"

_ROOM, _STEP = 4_096, 1_024
"""Bytes by which the texts in a trained network's file may be longer, and to which its size is rounded up."""

_DIFFERENCE = 1e-3
"""Standard deviation of what is added to norms and biases."""

_ROUNDS, _WARM_UP = 60, 5
"""Steps of both that are timed in turns, and before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsal:
    """What the file of a network showed.

    Attributes:
        uses: of the limits that the file itself has to keep: `file_size` in bytes, `latency` in seconds.
        counted: bytes of the network's tensors, as `file_size` counts them.
    """

    uses: Mapping[str, float]
    counted: float = 0.0


Rehearse = Callable[[Network, Mapping[str, float]], Rehearsal]
"""From a network, and what it uses of each limit, to what its file does."""


def rehearsal(out: Path, target: Target, classes: tuple[str, ...], trained_on: TrainedOn) -> Rehearse:
    """Rehearses for one fit; nothing is written.

    Args:
        out: the name of the file.
        target: of the limits.
        classes: that the file names.
        trained_on: that the file carries.
    """

    def rehearse(network: Network, uses: Mapping[str, float]) -> Rehearsal:
        own = [name for name in (FILE_SIZE, LATENCY.name) if name in uses]
        if not own:
            return Rehearsal(uses={})
        classifier = classifier_of(_as_trained(build(network, classes, trained_on=trained_on)))
        with _threads(target.engine.threads if target.engine else torch.get_num_threads()):
            made = proven(classifier, out, kind_of(out))
        found: dict[str, float] = {}
        if FILE_SIZE in own:
            payload = made.packer.packed(made.about)
            parts = (payload,) if isinstance(payload, bytes) else payload
            found[FILE_SIZE] = max(uses[FILE_SIZE], -(-(sum(map(len, parts)) + _ROOM) // _STEP) * _STEP)
        if LATENCY.name in own and target.engine is not None:
            ratio = beside_engine(made.first.run, made.about, network, target.engine)
            found[LATENCY.name] = uses[LATENCY.name] * max(1.0, ratio)
        return Rehearsal(uses=found, counted=uses.get(FILE_SIZE, 0.0))

    return rehearse


def _as_trained(model: Model) -> Model:
    """With values of norms and biases that all differ: what is equal or zero takes less room in a file.

    They differ by little, so that the model computes as exactly as a fresh one.
    """
    draws = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point() and tensor.ndim == 1:
                tensor.add_(torch.randn(tensor.shape, generator=draws), alpha=_DIFFERENCE)
    return model


def beside_engine(run: RunLogits, about: About, network: Network, target: Target) -> float:
    """How many times as long a step of a file takes as one of the engine's own graph, timed in turns.

    1 where chance explains the difference: what was measured of the engine is of the file then.
    """
    opened = engine_named(target.runtime).open(network, target)
    images = np.random.default_rng(0).standard_normal((target.batch, about.network.input_channels, *about.size))
    ratio = interval(list(_ratios(opened.run, run, images.astype(np.float32))))
    return 1.0 if ratio.low <= 1 <= ratio.high else ratio.median


def _ratios(first: RunLogits, second: RunLogits, images: Floats) -> Iterator[float]:
    """Seconds of the second over those of the first, round by round; in every other round they change places."""
    for number in range(_WARM_UP + _ROUNDS):
        took = {}
        for run in (first, second) if number % 2 else (second, first):
            began = time.perf_counter()
            run(images)
            took[run] = time.perf_counter() - began
        if number >= _WARM_UP:
            yield took[second] / took[first]


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Files that are opened in the block take so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
