"""Tables of networks and the registry of their names."""

from triscale.families.preprocessing import official_preprocessing
from triscale.families.registry import matching, network, registry

__all__ = ["matching", "network", "official_preprocessing", "registry"]
