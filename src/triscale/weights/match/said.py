"""What is said about a file that was read: what was chosen among what it holds, and how its classes are called."""

from collections.abc import Iterator
from typing import Any

from triscale.units import some
from triscale.weights.imagenet import CLASSES, imagenet_names
from triscale.weights.match.fitted import CLASSIFIER, Fitted
from triscale.weights.peers import PEERS
from triscale.weights.read.strict import shown
from triscale.weights.read.tensor_file import StoredTensors

_MOST_NAMES = 2


def choices(found: Fitted, stored: StoredTensors, classes: int | None) -> list[str]:
    """What was chosen, a clause each; nothing where a file holds a model's weights alone.

    `classes` are those that the user or a config says, which need not be said again.
    """
    said = list(_taken(found))
    if found.named_by_file:
        said.append(f"the model is {found.identity.peer.name}:{found.identity.model}, as the file names it")
    network = found.identity.network
    published = PEERS[found.identity.peer.name].network(found.identity.model)
    if network.classes not in (published.classes, classes) and not found.why:
        said.append(f"{network.classes} classes, as its classifier has them")
    if network.input_channels != published.input_channels:
        said.append(f"images of {_channels(network.input_channels)}, as its first layer takes them")
    if found.own_classifier:
        said.append(f"the classifier is {shown(found.own_classifier)}")
    if found.left_out:
        said.append(f"left out {_some(found.left_out)}")
    if found.why:
        further = sorted(found.without - {CLASSIFIER})
        said.append(found.why + (f", and no {' and '.join(further)}" if further else ""))
    if stored.unread:
        said.append(f"did not read objects in it ({_some(stored.unread)})")
    return said


def class_names(classes: int, labels: Any) -> tuple[tuple[str, ...], str]:
    """The names of the classes, and a clause where those that the file has do not fit.

    They are the file's own, as a list or by number, ImageNet's where there are a thousand, else numbers.
    """
    named = _listed(labels, classes)
    if len(named) == classes:
        return named, ""
    wrong = f"its names are those of {len(labels)} classes, not of {classes}" if labels else ""
    return (imagenet_names() if classes == CLASSES else tuple(f"class {index}" for index in range(classes))), wrong


def _listed(labels: Any, classes: int) -> tuple[str, ...]:
    if isinstance(labels, dict):
        labels = [labels.get(str(index), labels.get(index)) for index in range(classes)]
    if isinstance(labels, list | tuple) and all(isinstance(label, str) for label in labels):
        return tuple(labels)
    return ()


def _taken(found: Fitted) -> Iterator[str]:
    """Which of several networks, and how its names were changed."""
    part = found.part
    if part.is_average or found.not_taken:
        average = ", the average of the weights" if part.is_average else ""
        others = f", not {_some(found.not_taken)}" if found.not_taken else ""
        yield f"took {shown(part.place)}{average}{others}"
    if part.prefix:
        yield f"removed the prefix {shown(part.prefix)} from the names"


def _channels(number: int) -> str:
    return "1 channel" if number == 1 else f"{number} channels"


def _some(names: tuple[str, ...]) -> str:
    return some([shown(name) for name in names], _MOST_NAMES)
