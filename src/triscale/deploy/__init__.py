"""Networks out of the house: exported files that prove themselves and carry the lock, and a service that answers."""

from triscale.deploy.about import About
from triscale.deploy.as_c import C_FOLDER, export_c_folder, refuse_other_files
from triscale.deploy.exported import Exported
from triscale.deploy.fastest.choice import Choice
from triscale.deploy.fastest.export_candidates import AutoRequest
from triscale.deploy.fastest.fastest_export import export_fastest, refuse_ending
from triscale.deploy.formats import kind_of, require_libraries
from triscale.deploy.loading import READABLE, load_exported
from triscale.deploy.precision.lowering import Lowered, Lowering, lowering_from, lowering_of_auto, refuse_uncarried
from triscale.deploy.proof import TOLERANCE, Proof
from triscale.deploy.proven_export import Export, export
from triscale.deploy.serving.guard import Limits
from triscale.deploy.serving.server import listen, serve, url

__all__ = [
    "C_FOLDER",
    "READABLE",
    "TOLERANCE",
    "About",
    "AutoRequest",
    "Choice",
    "Export",
    "Exported",
    "Limits",
    "Lowered",
    "Lowering",
    "Proof",
    "export",
    "export_c_folder",
    "export_fastest",
    "kind_of",
    "listen",
    "load_exported",
    "lowering_from",
    "lowering_of_auto",
    "refuse_ending",
    "refuse_other_files",
    "refuse_uncarried",
    "require_libraries",
    "serve",
    "url",
]
