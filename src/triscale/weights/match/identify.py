"""Whose weights a file holds: which peer's names, which of its models, and which of the networks in the file.

Names and shapes tell the peer and the network. They do not tell padding and norm, in which two models of one peer may
differ, nor how images were prepared; so the user decides what is left open; it is never guessed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from triscale.errors import InputError, UsageError
from triscale.scaling import network as named
from triscale.spec import Network
from triscale.weights.match.fitted import Fitted, Identity, adapted, fitted
from triscale.weights.match.mapping import COUNTER, table
from triscale.weights.match.parts import FilePart, no_weights, parts
from triscale.weights.peers import PEERS
from triscale.weights.peers.base import base_name
from triscale.weights.read.strict import Shape, refuse_differences, shown
from triscale.weights.read.tensor_file import StoredTensors


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
    return Identity(peer=PEERS[prefix], model=model, tag=tag, network=PEERS[prefix].network(model))


Wanted = Identity | Sequence[Identity] | str | None
"""A model, some models, a network of ours, `PEER:MODEL[.TAG]`, or None where the file must tell by itself."""


def identify(stored: StoredTensors, wanted: Wanted, classes: int | None = None) -> Fitted:
    """Whose weights a file holds, and which of its tensors they are.

    Args:
        stored: the file.
        wanted: see `Wanted`.
        classes: that the file must have; by default, those that it has.

    Raises:
        UsageError: an unknown name.
        InputError: the file fits none, or several that differ in padding or norm; or it holds several networks.
    """
    models = list(_models(wanted))
    if not models:
        raise InputError(f"no library has weights of {wanted} that triscale can read.")
    here = parts(stored)
    fitting = [[found for one in models if (found := fitted(one, part, stored.unlike))] for part in here]
    taken = _outermost([found for found in fitting if found])
    if not taken:
        _refuse(here, models, wanted, classes)
    found = _of_one_model(_of_one_part(taken), stored.architecture)
    _refuse_odd(found.part)
    if not found.why and classes not in (None, found.identity.network.classes):
        _refuse_differences(found.part, found.identity, classes)
    return found


def _models(wanted: Wanted) -> Iterator[Identity]:
    if isinstance(wanted, str):
        wanted = spoken_of(wanted) or wanted
    if wanted is not None and not isinstance(wanted, str):
        yield from [wanted] if isinstance(wanted, Identity) else wanted
        return
    ours = named(wanted) if wanted else None
    for peer in PEERS.values():
        for model, settings in peer.models.items():
            if ours is None or settings.network == base_name(ours):
                yield Identity(peer=peer, model=model, tag="", network=settings.adapted(ours))


def _outermost(fitting: list[list[Fitted]]) -> list[list[Fitted]]:
    """Without pieces of networks that fit as a whole."""
    wholes = [found[0].part for found in fitting]
    return [found for found in fitting if not any(found[0].part.lies_in(whole) for whole in wholes)]


def _of_one_part(fitting: list[list[Fitted]]) -> list[Fitted]:
    """Of several networks in a file the average of the weights, or else the one that is not known to be the lesser."""
    if len(fitting) == 1:
        return fitting[0]
    averages = [found for found in fitting if found[0].part.is_average]
    firsts = [found for found in fitting if not found[0].part.is_second]
    chosen = averages or firsts
    alike = all({_model(one) for one in found} == {_model(one) for one in fitting[0]} for found in fitting)
    if len(chosen) == 1 and alike:
        others = tuple(_place(found[0]) for found in fitting if found is not chosen[0])
        return [replace(one, not_taken=others) for one in chosen[0]]
    places = ", ".join(_place(found[0]) for found in fitting[:5])
    raise InputError(
        f"the file holds {len(fitting)} networks: {places}.\n"
        "Save the one that you want alone, or name its model with --network if they belong to several models."
    )


def _place(found: Fitted) -> str:
    return shown(found.part.place) or "the file itself"


def _model(found: Fitted) -> tuple[str, str]:
    return found.identity.peer.name, found.identity.model


def _of_one_model(fitting: list[Fitted], architecture: str) -> Fitted:
    said = [found for found in fitting if found.identity.model == architecture.partition(".")[0]]
    if len(fitting) == 1:
        return fitting[0]
    if len(said) == 1:
        return replace(said[0], named_by_file=True)
    names = " or ".join(":".join(_model(found)) for found in fitting)
    raise InputError(
        f"these weights fit {len(fitting)} models, which differ in padding, norm or size.\nSay which: --network {names}"
    )


def _refuse_odd(part: FilePart) -> None:
    for name, kind in part.tensors.odd.items():
        if name.startswith(part.prefix):
            raise InputError(f"it holds something other than tensors: {shown(name)} is {shown(kind)}.")


def _refuse(here: list[FilePart], models: Sequence[Identity], wanted: Wanted, classes: int | None) -> None:
    """InputError with what a file lacks of the nearest of the models, as far as one can be named."""
    part = max(here, key=lambda one: max(_shared(one, model) for model in models))
    _refuse_odd(part)
    if wanted is None:
        some = ", ".join(shown(name) for name in list(part.names)[:2])
        raise InputError(
            f"the weights fit no network that triscale knows (they have {len(part.names)} tensors, such as {some}).\n"
            "If they belong to a scaled network, name it with --network."
        )
    nearest = max(models, key=lambda model: _shared(part, model))
    _refuse_differences(part, nearest, classes)


def _shared(part: FilePart, model: Identity) -> int:
    return len(part.names.keys() & {entry.theirs for entry in table(model.network, model.peer.name)})


def _refuse_differences(part: FilePart, model: Identity, classes: int | None) -> None:
    here = adapted(model, part)
    network = here.network if classes is None else replace(here.network, classes=classes)
    found = {name: shape for name, shape in part.shapes.items() if not no_weights(name)}
    refuse_differences(found, _wanted(network, here.peer.name))


def _wanted(network: Network, peer: str) -> Mapping[str, Shape]:
    return {entry.theirs: entry.their_shape for entry in table(network, peer) if not entry.theirs.endswith(COUNTER)}
