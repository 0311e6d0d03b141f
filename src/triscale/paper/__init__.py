"""The EfficientNet paper beside the counts: its tables, and the errata of paper, articles and ports."""

from triscale.paper.comparison import Compared, compare, compare_table
from triscale.paper.errata import ERRATA, TITLES, Erratum, errata_about, implied_phi
from triscale.paper.latency_table import LATENCIES, LatencyPair
from triscale.paper.members_beside import MemberBesideFormula, members
from triscale.paper.printed_tables import TABLES, PrintedRow, PrintedTable

__all__ = [
    "ERRATA",
    "LATENCIES",
    "TABLES",
    "TITLES",
    "Compared",
    "Erratum",
    "LatencyPair",
    "MemberBesideFormula",
    "PrintedRow",
    "PrintedTable",
    "compare",
    "compare_table",
    "errata_about",
    "implied_phi",
    "members",
]
