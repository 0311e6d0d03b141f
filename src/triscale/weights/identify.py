"""Whose weights a file holds: which peer's names, and which of its models.

Names and shapes tell the peer and the network. They do not tell padding and norm, in which two models of one peer may
differ, nor how pictures were prepared; so what is left open is asked for, never guessed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from triscale.errors import InputError, UsageError
from triscale.scaling import network as named
from triscale.spec import Network
from triscale.weights.mapping import COUNTER, table
from triscale.weights.peers import PEERS, Peer
from triscale.weights.peers.base import base_name
from triscale.weights.strict import Shape


class Identity(NamedTuple):
    """A model of a peer: `tag` names its set of weights (may be empty), `network` is ours as the peer computes it."""

    peer: Peer
    model: str
    tag: str
    network: Network


def spoken_of(text: str) -> Identity | None:
    """What `PEER:MODEL` or `PEER:MODEL.TAG` names, such as `timm:tf_efficientnet_b0.ns_jft_in1k`; None for other text.

    Raises:
        UsageError: no such peer or model.
    """
    prefix, colon, rest = text.partition(":")
    if not colon:
        return None
    if prefix not in PEERS:
        raise UsageError(f"unknown network {text!r}: in front of a colon stands {', '.join(PEERS)}.")
    model, _, tag = rest.partition(".")
    if model not in PEERS[prefix].models:
        raise UsageError(f"unknown network {text!r}: {prefix} has no model {model!r} that triscale knows.")
    return Identity(PEERS[prefix], model, tag, PEERS[prefix].network(model))


def identify(shapes: Mapping[str, Shape], text: str | None, classes: int | None = None) -> Identity:
    """Whose weights these are.

    Args:
        shapes: of the tensors in the file.
        text: a network of ours, `PEER:MODEL[.TAG]`, or None where the file must tell by itself.
        classes: of the file, where they are not the network's own.

    Raises:
        UsageError: an unknown name.
        InputError: the file fits none, or several that differ in padding or norm.
    """
    spoken = spoken_of(text) if text else None
    if spoken:
        return spoken._replace(network=_with_classes(spoken.network, classes))
    wanted = _with_classes(named(text), classes) if text else None
    fitting = [found for found in _candidates(wanted, classes) if _fits(found, shapes)]
    if not fitting and wanted:
        return _nearest(wanted, shapes)
    if not fitting:
        raise InputError("the weights fit no network that triscale knows; name the one they belong to with --network.")
    first, *others = fitting
    if others:
        names = " or ".join(f"{found.peer.name}:{found.model}" for found in fitting)
        raise InputError(
            f"these weights fit {len(fitting)} models, which differ in padding, norm or size.\n"
            f"Say which: --network {names}"
        )
    return first


def _with_classes(network: Network, classes: int | None) -> Network:
    return network if classes is None else replace(network, classes=classes)


def _candidates(wanted: Network | None, classes: int | None) -> Iterator[Identity]:
    for peer in PEERS.values():
        for model, settings in peer.models.items():
            if wanted is None or settings.network == base_name(wanted):
                yield Identity(peer, model, "", _with_classes(settings.adapted(wanted), classes))


def _fits(found: Identity, shapes: Mapping[str, Shape]) -> bool:
    """Same names, same shapes, but for the classifier, whose classes may be others, and the counters of batches."""
    entries = [entry for entry in table(found.network, found.peer.name) if not entry.ours.endswith(COUNTER)]
    counted = sum(name.endswith(COUNTER) for name in shapes)
    return len(entries) == len(shapes) - counted and all(
        entry.theirs in shapes and (entry.ours.startswith("classifier.") or shapes[entry.theirs] == entry.their_shape)
        for entry in entries
    )


def _nearest(wanted: Network, shapes: Mapping[str, Shape]) -> Identity:
    """The model whose names the file has most of: what it lacks of them can be said then."""
    candidates = list(_candidates(wanted, None))
    if not candidates:
        raise InputError(f"no library has weights of {wanted.name} that triscale can read.")
    return max(
        candidates, key=lambda found: len(shapes.keys() & {e.theirs for e in table(found.network, found.peer.name)})
    )
