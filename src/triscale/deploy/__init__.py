"""Networks out of the house: exported files that prove themselves and carry the lock, and a service that answers."""

from triscale.deploy.about import About
from triscale.deploy.exported import Exported
from triscale.deploy.guard import Limits
from triscale.deploy.loading import READABLE, load_exported
from triscale.deploy.precision.lowering import Lowered, Lowering, lowering_from, refuse_uncarried
from triscale.deploy.proof import TOLERANCE, Proof
from triscale.deploy.proven_export import Export, export, kind_of
from triscale.deploy.server import listen, serve, url

__all__ = [
    "READABLE",
    "TOLERANCE",
    "About",
    "Export",
    "Exported",
    "Limits",
    "Lowered",
    "Lowering",
    "Proof",
    "export",
    "kind_of",
    "listen",
    "load_exported",
    "lowering_from",
    "refuse_uncarried",
    "serve",
    "url",
]
