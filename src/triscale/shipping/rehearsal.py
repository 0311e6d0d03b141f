"""The file of a network before it is trained: its bytes and its time are those of the trained one."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from triscale.costs import Target
from triscale.deploy.formats import FORMATS, kind_of, put
from triscale.deploy.proven_export import Proven, proven
from triscale.deploy.timed_files import SECONDS
from triscale.errors import InputError
from triscale.latency.latency_metric import LATENCY
from triscale.latency.measuring import Limits, Subject, measure_subjects, ratio_of
from triscale.latency.silent_watch import SilentWatch
from triscale.nn import Model, build
from triscale.spec import Network
from triscale.trained_on import TrainedOn
from triscale.weights import classifier_of

FILE_SIZE = "file_size"

_ROOM, _STEP = 2_048, 1_024
"""Bytes by which the texts in the file of a trained network may be longer, and to which its size is rounded up."""


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
            ratio = beside_engine(made, network, target.engine)
            found[LATENCY.name] = uses[LATENCY.name] * max(1.0, ratio)
        return Rehearsal(uses=found, counted=uses.get(FILE_SIZE, 0.0))

    return rehearse


def _as_trained(model: Model) -> Model:
    """With all values different: what is equal or zero in fresh weights takes less room in a file."""
    draws = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.add_(torch.rand(tensor.shape, generator=draws), alpha=0.01)
    return model


def beside_engine(made: Proven, network: Network, target: Target) -> float:
    """How many times as long a step of a file takes as one of the engine's own graph, measured in the same rounds.

    1 where chance explains the difference: what was measured of the engine is of the file then.
    """
    with tempfile.TemporaryDirectory(prefix="triscale-") as folder:
        path = Path(folder) / made.out.name
        put(path, made.packer.packed(made.about))
        where = replace(target, runtime=FORMATS[made.form].engine, precision=made.about.precision)
        subjects = Subject(network=network, target=target), Subject(network=network, target=where, file=path)
        measured = measure_subjects(subjects, Limits(seconds=SECONDS), SilentWatch()).measurements
    if len(measured) < len(subjects):
        raise InputError(f"{network.name} cannot be opened on {target} in a process of its own.")
    found = ratio_of(measured[1], measured[0])
    return 1.0 if found.low <= 1 <= found.high else found.median


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """Files that are opened in the block take so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
