"""The errata: what paper, articles and ports print, what is true, and how to check it."""

from triscale.paper.errata.articles import ARTICLES
from triscale.paper.errata.errata_topics import errata_about
from triscale.paper.errata.erratum import Erratum, ErratumSource
from triscale.paper.errata.ports import PORTS
from triscale.paper.errata.printed import PRINTED, implied_phi

__all__ = ["ERRATA", "TITLES", "Erratum", "ErratumSource", "errata_about", "implied_phi"]

ERRATA: tuple[Erratum, ...] = (*PRINTED, *ARTICLES, *PORTS)

TITLES: dict[ErratumSource, str] = {
    "paper": "The paper",
    "articles": "Articles about it",
    "ports": "Releases and other implementations",
}
"""Kind of an erratum -> the heading over its kind, in the order of `ERRATA`."""
