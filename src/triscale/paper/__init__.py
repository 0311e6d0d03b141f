"""The EfficientNet paper beside the counts: its tables, and the errata of paper, articles and ports."""

from triscale.paper.compare import Compared, compare, compare_table
from triscale.paper.errata import ERRATA, TITLES, Erratum, implied_phi
from triscale.paper.tables import TABLES, Row, Table

__all__ = [
    "ERRATA", "TABLES", "TITLES", "Compared", "Erratum", "Row", "Table", "compare", "compare_table", "implied_phi",
]  # fmt: skip
