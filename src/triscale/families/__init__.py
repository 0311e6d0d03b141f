"""Tables of networks and the registry of their names."""

from triscale.families.author_preprocessing import official_preprocessing
from triscale.families.by_name import full_name, matching, network, registry, small_baseline

__all__ = ["full_name", "matching", "network", "official_preprocessing", "registry", "small_baseline"]
