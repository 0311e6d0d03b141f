"""From a file whose weights were identified to a checkpoint: the one place where foreign tensors are read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triscale.errors import InputError
from triscale.spec import Preprocessing, value_text
from triscale.weights.checkpoint import Checkpoint
from triscale.weights.match.fitted import Fitted, Identity
from triscale.weights.match.mapping import from_peer
from triscale.weights.match.said import choices, class_names
from triscale.weights.read.tensor_file import StoredTensors


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What is known of weights beside their tensors.

    Attributes:
        preprocessing: of images.
        labels: names of the classes, as a file has them: a list, or a dict by number.
        classes: how many there are, where the user or a file says it.
        notes: sentences for the user.
    """

    preprocessing: Preprocessing
    labels: Any = None
    classes: int | None = None
    notes: tuple[str, ...] = ()


def read(path: Path, stored: StoredTensors, found: Fitted, told: Told) -> Checkpoint:
    """The checkpoint in a file, with what was chosen in its notes.

    Raises:
        InputError: a tensor is not finite, or holds no weights.
    """
    network, peer = found.identity.network, found.identity.peer.name
    with naming(path):
        held = found.part.tensors.read(found.names.values())
        tensors = {theirs: held[full] for theirs, full in found.names.items()}
        state = from_peer(tensors, network, peer, found.without)
    names, wrong = ((), "") if found.why else class_names(network.classes, told.labels)
    said = [*choices(found, stored, told.classes), *([wrong] if wrong else [])]
    return Checkpoint(
        network=network,
        state=state,
        classes=names,
        preprocessing=told.preprocessing.for_channels(network.input_channels),
        notes=(*([f"{path.name}: {'; '.join(said)}."] if said else []), *told.notes),
        lacks=found.why,
    )


def assumed(path: Path, identity: Identity, how: Preprocessing) -> str:
    """What was taken for lack of a word in the file; it may be wrong for weights that somebody trained otherwise."""
    how = how.for_channels(identity.network.input_channels)
    taken = ", ".join(
        f"{name} {value_text(value)}"
        for name in ("resolution", "crop", "interpolation", "mean", "std")
        if (value := getattr(how, name)) is not None
    )
    return (
        f"{path.name} does not say how its images are prepared; taken as {identity.peer.name} has it for "
        f"{identity.model}: {taken}. If its weights need another one: --override NAME=VALUE."
    )


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Puts the file in front of a complaint about what is in it."""
    try:
        yield
    except InputError as error:
        text = str(error)
        raise InputError(text if str(path) in text else f"{path}: {text}") from None
