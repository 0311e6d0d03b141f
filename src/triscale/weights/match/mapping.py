"""Which of a peer's tensors is which of ours: a table made from the network's blocks and the roles of their layers.

A peer is a naming: a function from the place of a layer in a network to the peer's names of that layer and of its norm.
Our own names are such a function too; the table pairs the two. Nothing is matched by order or by shape.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from triscale.errors import InputError
from triscale.spec import Network, resolve
from triscale.weights.peers import PEERS
from triscale.weights.peers.base import IDENTITY, Names, Peer, Place
from triscale.weights.read.strict import Shape, refuse_differences, refuse_values, shapes

_NORM = ("weight", "bias", "running_mean", "running_var")
COUNTER = "num_batches_tracked"
"""Batches that a norm has seen: torch counts them, and uses the count only where momentum is None, as it never is here;
a file may lack it."""


class Entry(NamedTuple):
    """One tensor under both names.

    `axes` is the order in which the peer keeps our axes; its tensor is ours permuted so, then reshaped to its shape.
    """

    ours: str
    theirs: str
    shape: Shape
    their_shape: Shape
    axes: tuple[int, ...]

    @property
    def layer(self) -> str:
        """The first word of our name: `stem`, `stages`, `head`, `hidden` or `classifier`."""
        return self.ours.partition(".")[0]

    def our_shape(self, theirs: Shape) -> Shape | None:
        """The shape that a tensor of the peer has for us, whose numbers may be others; None for another rank."""
        ones = len(self.their_shape) - len(self.axes)
        if len(theirs) != len(self.their_shape) or theirs[len(self.axes) :] != (1,) * ones:
            return None
        back = sorted(range(len(self.axes)), key=self.axes.__getitem__)
        return tuple(theirs[axis] for axis in back)

    def to_peer(self, tensor: Tensor) -> Tensor:
        """Our tensor as the peer keeps it."""
        return tensor.permute(self.axes).reshape(self.their_shape).contiguous()

    def from_peer(self, tensor: Tensor) -> Tensor:
        """The peer's tensor as we keep it."""
        permuted = tensor.reshape([self.shape[axis] for axis in self.axes])
        back = sorted(range(len(self.axes)), key=self.axes.__getitem__)
        return permuted.permute(back).contiguous()


def places(network: Network) -> Iterator[Place]:
    """Every layer of the network that holds tensors, in the order of the data."""
    number, stage_before, index = -1, 0, 0
    for stage, block in resolve(network).flat():
        index = index + 1 if stage == stage_before else 0
        stage_before = stage
        number += stage > 0
        for layer in block.layers:
            yield Place(network, stage, index, number, block, layer)


def table(network: Network, peer: str) -> tuple[Entry, ...]:
    """Our name of every tensor beside the peer's, in the order of the data.

    Args:
        network: its name decides whether the peer has it, its blocks decide the rest.
        peer: one of `PEERS`.

    Raises:
        InputError: no such peer, or it has no such network.
    """
    found = _peer(peer)
    naming = found.naming(network)
    return tuple(
        entry for place in places(network) for entry in _entries(place, own_names(place), naming(place), found)
    )


def first_name(network: Network, peer: str) -> str:
    """The peer's name of the weight of the network's first layer."""
    found, place = _peer(peer), next(places(network))
    return next(_entries(place, own_names(place), found.naming(network)(place), found)).theirs


def to_peer(state: Mapping[str, Tensor], network: Network, peer: str) -> dict[str, Tensor]:
    """Our weights under the peer's names and in its shapes, every tensor used once.

    Raises:
        InputError: the weights are not this network's, are not finite, or the peer has no such network.
    """
    entries = table(network, peer)
    uncounted = {} if _peer(peer).counts else {_counter(place): () for place in places(network) if place.layer.norm}
    refuse_differences(shapes(state), {entry.ours: entry.shape for entry in entries} | uncounted)
    refuse_values(state)
    return {entry.theirs: entry.to_peer(state[entry.ours].detach()) for entry in entries}


def from_peer(
    tensors: Mapping[str, Tensor], network: Network, peer: str, without: Collection[str] = ()
) -> dict[str, Tensor]:
    """The peer's weights under our names and in our shapes, as float32, every tensor used once.

    Only the counters of batches may be missing, which change nothing; they are 0 then.

    Args:
        tensors: by the peer's names.
        network: whose they are.
        peer: one of `PEERS`.
        without: layers at the end that the peer's weights lack, such as `classifier`; the answer lacks them too.

    Raises:
        InputError: up to ten names that are missing, extra, misshapen or not finite; or the peer has no such network.
    """
    entries = [entry for entry in table(network, peer) if entry.layer not in without]
    found = shapes(tensors)
    wanted = {e.theirs: e.their_shape for e in entries if not e.theirs.endswith(COUNTER) or e.theirs in found}
    refuse_differences(found, wanted)
    refuse_values(tensors)
    zero = torch.zeros((), dtype=torch.int64)
    state = {e.ours: e.from_peer(_as_ours(tensors.get(e.theirs, zero))) for e in entries}
    counters = [_counter(place) for place in places(network) if place.layer.norm]
    held = [name for name in counters if name not in state and name.partition(".")[0] not in without]
    return state | {name: zero.clone() for name in held}


def _peer(name: str) -> Peer:
    if name not in PEERS:
        raise InputError(f"no mapping of weights for {name!r}; there are {', '.join(PEERS)}.")
    return PEERS[name]


def _as_ours(tensor: Tensor) -> Tensor:
    """A copy, so that no file stays mapped and no two networks share a tensor."""
    return tensor.detach().to(torch.float32 if tensor.is_floating_point() else torch.int64, copy=True)


def _counter(place: Place) -> str:
    return f"{own_names(place).norm}.{COUNTER}"


def own_names(place: Place) -> Names:
    """The names in our own `state_dict`."""
    role = place.layer.role
    if place.stage > 0:
        block = f"stages.{place.stage - 1}.{place.position}"
        if role in ("squeeze", "excite"):
            return Names(f"{block}.squeeze_excite.{'reduce' if role == 'squeeze' else 'expand'}")
        return Names(f"{block}.{role}.conv", f"{block}.{role}.norm")
    if place.stage == 0:
        unit = "stem" if role == "conv" else f"stem.deep.{int(role.removeprefix('deep')) - 1}"
        return Names(f"{unit}.conv", f"{unit}.norm")
    if role == "hidden":
        return Names("hidden.0")
    return Names("classifier") if role == "classifier" else Names("head.conv", "head.norm")


def _entries(place: Place, ours: Names, theirs: Names, peer: Peer) -> Iterator[Entry]:
    layer = place.layer
    if layer.kind != "norm":
        shape: Shape = (layer.out_channels, layer.in_channels // layer.groups)
        shape += (layer.kernel, layer.kernel) if layer.kind == "conv" else ()
        change = peer.change(place) or IDENTITY
        axes = change.axes or tuple(range(len(shape)))
        their_shape = (*(shape[axis] for axis in axes), *(1,) * change.ones)
        weight, bias = peer.layer_fields(place)
        yield Entry(f"{ours.layer}.weight", f"{theirs.layer}{weight}", shape, their_shape, axes)
        if layer.bias:
            yield _vector(f"{ours.layer}.bias", f"{theirs.layer}{bias}", layer.out_channels)
    if layer.norm:
        for field, their_field in zip(_NORM, peer.norm_fields, strict=True):
            yield _vector(f"{ours.norm}.{field}", f"{theirs.norm}{their_field}", layer.out_channels)
        if peer.counts:
            yield Entry(f"{ours.norm}.{COUNTER}", f"{theirs.norm}.{COUNTER}", (), (), ())


def _vector(ours: str, theirs: str, channels: int) -> Entry:
    return Entry(ours, theirs, (channels,), (channels,), (0,))
