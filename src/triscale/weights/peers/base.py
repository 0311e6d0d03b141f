"""What a peer is: names for the layers of our networks, and the settings with which its models were trained."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from triscale.errors import InputError
from triscale.families import network
from triscale.spec import Block, Layer, Network, Norm, Preprocessing
from triscale.spec.rounding import Padding


class Place(NamedTuple):
    """A layer and where it stands.

    Attributes:
        network: the whole.
        stage: 0 for the stem, 1.. for the stages, -1 for the head.
        position: of the block in its stage, from 0.
        number: of the block in all stages, from 0.
        block, layer: the block and the layer, resolved.
    """

    network: Network
    stage: int
    position: int
    number: int
    block: Block
    layer: Layer


class Names(NamedTuple):
    """What stands in front of the fields of a layer and of the norm behind it."""

    layer: str
    norm: str = ""


class Change(NamedTuple):
    """How a peer keeps a weight: our axes in its order (none: in ours), then `ones` axes of length 1 at the end."""

    axes: tuple[int, ...] = ()
    ones: int = 0


IDENTITY = Change()

Naming = Callable[[Place], Names]


def _unchanged(_: Place) -> Change:
    return IDENTITY


def _torch_fields(_: Place) -> tuple[str, str]:
    return ".weight", ".bias"


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerModel:
    """A model of a peer: our network with the padding and the norm that its weights were trained with.

    `pool_padding` is that of the stem's pooling, where it differs.
    """

    network: str
    padding: Padding
    norm: Norm
    pool_padding: Padding | None = None

    def adapted(self, to: Network | None = None) -> Network:
        """Our network, or a scaled one of it, as the peer computes it."""
        base = network(self.network) if to is None else to
        stem = replace(base.stem, pool_padding=self.pool_padding)
        return replace(base, padding=self.padding, norm=self.norm, stem=stem)


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """A library whose weights we read and write.

    Attributes:
        name: what it is called.
        models: its names of models to ours, with their settings.
        naming: of a network; InputError where the peer has none of the kind.
        preprocessing: of the weights of a model, by their tag (may be empty) and the name of their file (some are
            published under a name of their own); InputError where there are none such, or several.
        layer_fields: the endings of the names of a layer's weight and bias.
        norm_fields: the endings of scale, shift, running mean and running variance.
        counts: whether norms have `num_batches_tracked`.
        change: how a layer's weight is kept.
        loading: the line of code with which the peer loads a file of ours, with places for `model`, `classes`,
            `channels` (of images) and `file`; empty where we write nothing for the peer.
        outer: what stands in front of the names of all layers but the classifier, and is left out where the peer keeps
            a network without its classifier.
    """

    name: str
    models: dict[str, PeerModel]
    naming: Callable[[Network], Naming]
    preprocessing: Callable[[str, str, str], Preprocessing]
    loading: str
    layer_fields: Callable[[Place], tuple[str, str]] = _torch_fields
    norm_fields: tuple[str, str, str, str] = (".weight", ".bias", ".running_mean", ".running_var")
    counts: bool = True
    change: Callable[[Place], Change] = _unchanged
    outer: str = ""

    def network(self, model: str) -> Network:
        """Our network as the peer's model of that name computes it; InputError where there is none."""
        if model not in self.models:
            raise InputError(f"{self.name} has no model {model!r} that triscale knows.")
        return self.models[model].adapted()


def base_name(network: Network) -> str:
    """The registered name that a scaled one such as `efficientnet_b0@phi=1` starts with."""
    return network.name.partition("@")[0]


def require_known(peer: str, models: dict[str, PeerModel], network: Network) -> str:
    """The registered name; InputError where no model of the peer is of it."""
    name = base_name(network)
    if not any(model.network == name for model in models.values()):
        raise InputError(f"{peer} has no network {name!r}: its weights can be neither read nor written.")
    return name
