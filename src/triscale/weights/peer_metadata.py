"""What a peer's file says about itself, when we wrote it: all of a checkpoint but the tensors, which have peer's names.

The peer does not read it and loads the file as any other. A digest binds it to these very tensors, so that the
preprocessing of some weights never serves for others.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from triscale.errors import InputError
from triscale.spec import Network, content_hash
from triscale.weights.checkpoint import Checkpoint, described_by, description, state_digest
from triscale.weights.match.mapping import from_peer
from triscale.weights.peers import PEERS, Peer
from triscale.weights.peers.base import base_name
from triscale.weights.read.strict import shown
from triscale.weights.read.tensor_file import StoredTensors

ABOUT, DIGEST = "triscale_peer", "triscale_sha256"
"""The entries of a safetensors file's metadata that hold the description and its digest."""

FORMAT, VERSION = "triscale.peer", 1


class PeerFile(NamedTuple):
    """A peer's file as a checkpoint, and the peer's model, `PEER:MODEL` (empty where the peer has none such)."""

    checkpoint: Checkpoint
    model: str


def metadata(checkpoint: Checkpoint, peer: Peer, model: str | None, tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """The entries for a file with these tensors, which are the checkpoint's under the peer's names."""
    about = {"format": FORMAT, "version": VERSION, "peer": peer.name, "model": model, **description(checkpoint)}
    text = json.dumps(about, sort_keys=True)
    return {ABOUT: text, DIGEST: state_digest(text, tensors)}


def read_described(path: Path, stored: StoredTensors) -> PeerFile:
    """The checkpoint in a peer's file that we wrote.

    Raises:
        InputError: the description is garbled, or belongs to other tensors.
    """
    try:
        about = json.loads(stored.about[ABOUT])
        kind, peer, model = (about["format"], about["version"]), about["peer"], about["model"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"{path} is damaged: what it says about itself cannot be read. Use another copy.") from None
    if kind != (FORMAT, VERSION) or peer not in PEERS:
        raise InputError(f"{path} is {shown(str(kind))} of {shown(str(peer))}; another triscale wrote it.")
    tensors = stored.all()
    if stored.about.get(DIGEST) != state_digest(stored.about[ABOUT], tensors):
        raise InputError(
            f"{path} was changed after triscale wrote it, or is damaged: its tensors do not match its digest.\n"
            "Use another copy, or save the new weights without the old file's metadata."
        )
    found = described_by(path, about, tensors)
    found = replace(found, state=from_peer(tensors, found.spec, peer))
    return PeerFile(found, f"{peer}:{model}" if model else "")


def model_of(peer: Peer, network: Network) -> tuple[str | None, str | None]:
    """The peer's model that these weights are for, and what is wrong with it, if anything is, in a sentence."""
    candidates = [name for name, one in peer.models.items() if one.network == base_name(network)]
    exact = next((name for name in candidates if _computes(peer.network(name), network)), None)
    if exact:
        return exact, None
    alike = next((name for name in candidates if _computes(_as_trained(peer.network(name), network), network)), None)
    if alike is None:
        return None, f"{peer.name} has no model of the size of {network.name}: only the names of the tensors are its."
    theirs = peer.network(alike)
    return alike, (
        f"{peer.name}'s {alike} pads {theirs.padding} with eps {theirs.norm.eps:g}, and these weights were trained "
        f"with {network.padding} and {network.norm.eps:g}: it will answer otherwise."
    )


def _as_trained(theirs: Network, ours: Network) -> Network:
    stem = replace(theirs.stem, pool_padding=ours.stem.pool_padding)
    return replace(theirs, padding=ours.padding, norm=ours.norm, stem=stem)


def _computes(theirs: Network, ours: Network) -> bool:
    """Whether both answer alike for the same weights: what a trainer or a task changes does not matter."""
    free: dict[str, Any] = {
        "resolution": ours.resolution,
        "classes": ours.classes,
        "input_channels": ours.input_channels,
        "stochastic_depth": ours.stochastic_depth,
        "head": replace(theirs.head, dropout=ours.head.dropout),
        "norm": replace(theirs.norm, momentum=ours.norm.momentum),
    }
    return content_hash(replace(theirs, **free)) == content_hash(ours)
