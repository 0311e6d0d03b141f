"""A model of a library held against a part of a file: which tensor is which, and what the file has otherwise.

Read off the file are the number of classes and of channels of the images. A classifier of the user's own is taken
where it is one linear layer, in the place of the model's; anything more behind the network computes what none of our
networks does, and is left out, so that only a training can begin with such weights.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from triscale.spec import Network
from triscale.units import some
from triscale.weights.match.mapping import COUNTER, Entry, table
from triscale.weights.match.parts import FilePart, no_weights
from triscale.weights.peers import Peer

CLASSIFIER = "classifier"
_ENDS = frozenset({CLASSIFIER, "head", "hidden"})
"""Our layers behind the stages, which a file may lack."""

_LOSSES = re.compile(r"(criterion|loss|metric)", re.IGNORECASE)
"""Words in front of tensors that a training uses, and an answer does not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """A model of a peer: `tag` names its set of weights (may be empty), `network` is ours as the peer computes it."""

    peer: Peer
    model: str
    tag: str
    network: Network


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """A part of a file as the weights of a model.

    Attributes:
        identity: the model, its network with the classes and channels of the file.
        part: of the file.
        names: the peer's name of each tensor -> its name in the file.
        without: our layers that the file lacks, or that answer otherwise in it.
        why: what is wrong with the classifier where it is one of them.
        left_out: names of tensors that are not used.
        own_classifier: the name of the user's own one, where it was taken.
        not_taken: where in the file other networks of the same kind stand.
        named_by_file: whether the checkpoint itself names the model, where its tensors leave it open.
    """

    identity: Identity
    part: FilePart
    names: Mapping[str, str]
    without: frozenset[str] = frozenset()
    why: str = ""
    left_out: tuple[str, ...] = ()
    own_classifier: str = ""
    not_taken: tuple[str, ...] = ()
    named_by_file: bool = False


def fitted(identity: Identity, part: FilePart, unlike: str = "") -> Fitted | None:
    """The part as weights of the model; None where it is none: a layer is missing, too many, or of another size.

    `unlike` is a layer without weights that changes the answer.
    """
    every = _table(identity.network, identity.peer.name)
    entries = [entry for entry in every if not entry.theirs.endswith(COUNTER)]
    lacking = [entry for entry in entries if entry.theirs not in part.names]
    without = frozenset(entry.layer for entry in lacking)
    if without and (not without <= _ENDS or CLASSIFIER not in without):
        return None
    known = {entry.theirs for entry in every if entry.layer not in without}
    extra = [name for name in part.names if name not in known and not no_weights(name)]
    if _foreign(extra, entries) or (extra and not without):
        return None
    here = adapted(identity, part)
    if not _same_sizes(here, part, without):
        return None
    others = [part.names[name] for name in extra] + list(part.outside)
    return _with_classifier(here, part, without, others, unlike)


def adapted(identity: Identity, part: FilePart) -> Identity:
    """The model with the classes and channels that the file has."""
    entries = _table(identity.network, identity.peer.name)
    last = next(entry for entry in entries if entry.ours == f"{CLASSIFIER}.weight")
    channels, classes = _length(entries[0], part, 1), _length(last, part, 0)
    network = identity.network
    if channels and entries[0].shape[1] == network.input_channels:  # a stem that is not a grouped convolution
        network = replace(network, input_channels=channels)
    return replace(identity, network=replace(network, classes=classes or network.classes))


def _length(entry: Entry, part: FilePart, axis: int) -> int | None:
    shape = part.shapes.get(entry.theirs)
    ours = entry.our_shape(shape) if shape is not None else None
    return ours[axis] if ours and ours[axis] > 0 else None


def _foreign(extra: Iterable[str], entries: Iterable[Entry]) -> bool:
    """Whether tensors that the model lacks belong to its stages, as those of a larger network do."""
    body = {_word(entry.theirs) for entry in entries if entry.layer not in _ENDS}
    return any(_word(name) in body for name in extra)


def _word(name: str) -> str:
    found = re.match(r"_?[A-Za-z_]+", name)
    return found[0] if found else name


def _same_sizes(here: Identity, part: FilePart, without: frozenset[str]) -> bool:
    shapes = part.shapes
    return all(
        shapes[entry.theirs] == entry.their_shape
        for entry in _table(here.network, here.peer.name)
        if entry.layer not in without and entry.theirs in shapes
    )


def _with_classifier(
    here: Identity, part: FilePart, without: frozenset[str], others: list[str], unlike: str
) -> Fitted | None:
    """The part with its own classifier, or with that of the user; without one where other layers answer."""
    behind = [name for name in others if not _LOSSES.match(name) and part.tensors.shapes[name]]
    entries = [entry for entry in _table(here.network, here.peer.name) if entry.theirs in part.names]
    names = {entry.theirs: part.names[entry.theirs] for entry in entries if entry.layer not in without}
    found = Fitted(identity=here, part=part, names=names, without=without, left_out=tuple(others))
    own = _own_classifier(here, part, behind) if without == {CLASSIFIER} else None
    if own is not None:
        found = _taken(found, own)
    elif without:
        why = f"around the network stand layers of its own ({_some(behind)})" if behind else "it holds no classifier"
        return replace(found, why=why)
    elif _answers_further(here, part, behind):
        return _unclassified(found, f"behind its classifier stand further layers ({_some(behind)})")
    if unlike:
        return _unclassified(found, f"its classifier stands behind a {unlike}")
    if found.identity.network.classes == 1:
        return _unclassified(found, "its classifier has one output, for yes or no")
    return found


def _own_classifier(here: Identity, part: FilePart, behind: list[str]) -> tuple[str, str, int] | None:
    """The weight and bias of the one linear layer in the place of the classifier, and its classes."""
    weight = next(e for e in _table(here.network, here.peer.name) if e.ours == f"{CLASSIFIER}.weight")
    shapes = part.tensors.shapes
    matrices = [name for name in behind if len(shapes[name]) > 1]
    if len(behind) != 2 or len(matrices) != 1:
        return None
    (matrix,) = matrices
    (bias,) = (name for name in behind if name != matrix)
    ours = weight.our_shape(shapes[matrix])
    beside = re.split(r"[./]", bias)[:-1] == re.split(r"[./]", matrix)[:-1]
    if not beside or ours is None or ours[1:] != weight.shape[1:] or shapes[bias] != ours[:1]:
        return None
    return matrix, bias, ours[0]


def _taken(found: Fitted, own: tuple[str, str, int]) -> Fitted:
    weight, bias, classes = own
    here = replace(found.identity, network=replace(found.identity.network, classes=classes))
    theirs = {e.ours: e.theirs for e in _table(here.network, here.peer.name) if e.layer == CLASSIFIER}
    names = {theirs[f"{CLASSIFIER}.weight"]: weight, theirs[f"{CLASSIFIER}.bias"]: bias}
    return replace(
        found,
        identity=here,
        names={**found.names, **names},
        without=frozenset(),
        left_out=tuple(name for name in found.left_out if name not in own),
        own_classifier=weight,
    )


def _answers_further(here: Identity, part: FilePart, behind: list[str]) -> bool:
    """Whether a linear layer outside takes what the network gives: its logits, or its features."""
    features = next(e.shape[1] for e in _table(here.network, here.peer.name) if e.ours == f"{CLASSIFIER}.weight")
    taken = {features, here.network.classes}
    matrices = (part.tensors.shapes[name] for name in behind if name.endswith(("weight", "kernel")))
    return any(len(shape) == 2 and taken & set(shape) for shape in matrices)


def _unclassified(found: Fitted, why: str) -> Fitted:
    gone = {e.theirs for e in _table(found.identity.network, found.identity.peer.name) if e.layer == CLASSIFIER}
    return replace(
        found,
        names={name: full for name, full in found.names.items() if name not in gone},
        without=found.without | {CLASSIFIER},
        left_out=(*found.left_out, *(found.names[name] for name in found.names if name in gone)),
        why=why,
    )


def _some(names: list[str]) -> str:
    return some([name[:80] for name in names], 2)


@lru_cache(maxsize=512)
def _table(network: Network, peer: str) -> tuple[Entry, ...]:
    return table(network, peer)
