"""Networks out of the house: exported files that prove themselves and carry the lock, and a service that answers."""

from triscale.deploy.about import About
from triscale.deploy.export import Export, export, kind_of
from triscale.deploy.exported import Exported
from triscale.deploy.load import READABLE, load_exported
from triscale.deploy.proof import TOLERANCE, Proof

__all__ = ["READABLE", "TOLERANCE", "About", "Export", "Exported", "Proof", "export", "kind_of", "load_exported"]
