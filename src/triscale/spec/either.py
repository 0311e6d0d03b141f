"""What holds for a network of either kind: a spec, or a foreign one by its import path."""

from dataclasses import replace
from typing import Any

from triscale.spec import codec
from triscale.spec.foreign_network import ForeignNetwork, is_foreign_document
from triscale.spec.network import Network
from triscale.spec.rounding import Size

AnyNetwork = Network | ForeignNetwork


def content_hash(network: AnyNetwork) -> str:
    """SHA-256 (64 hex digits) of all but the name: equal networks, equal hash."""
    return network.content_hash() if isinstance(network, ForeignNetwork) else codec.content_hash(network)


def to_document(network: AnyNetwork) -> dict[str, Any]:
    """The network as a JSON-ready dict that says its format and version."""
    return network.to_dict() if isinstance(network, ForeignNetwork) else codec.to_dict(network)


def any_from_document(document: object) -> AnyNetwork:
    """The network of either kind in a document of `to_document`; a foreign one is not imported.

    Raises:
        InputError: naming the field, its value and what is allowed.
    """
    return ForeignNetwork.from_dict(document) if is_foreign_document(document) else codec.from_dict(document)


def altered(network: AnyNetwork, *, classes: int | None = None, resolution: Size | None = None) -> AnyNetwork:
    """The network with other classes or another resolution (height, width); None leaves them.

    A foreign one that changes loses its fingerprint, which holds both.
    """
    changed = classes or network.classes, resolution or network.resolution
    if changed == (network.classes, network.resolution):
        return network
    if isinstance(network, ForeignNetwork):
        return replace(network, classes=changed[0], resolution=changed[1], fingerprint="")
    return replace(network, classes=changed[0], resolution=changed[1])


def path_of_code(network: AnyNetwork) -> str | None:
    """The import path of a foreign network; None for one of ours."""
    return network.path if isinstance(network, ForeignNetwork) else None
