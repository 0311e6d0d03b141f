"""What holds for a network of either kind: a spec, or a foreign one by its import path."""

from typing import Any

from triscale.spec import codec
from triscale.spec.foreign_network import ForeignNetwork, is_foreign_document
from triscale.spec.network import Network

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
