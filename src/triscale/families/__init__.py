"""Tables of networks and the registry of their names."""

from triscale.families.registry import network, registry

__all__ = ["network", "registry"]
