"""A study or a search in a notebook: the answer in a sentence, the figure, and the table of what was trained."""

from collections.abc import Iterable
from pathlib import Path

from triscale import trials
from triscale.report import study_tables, wording
from triscale.report.notebook.cell_parts import cell, image, sentence
from triscale.report.notebook.network_cell import drawing
from triscale.report.printable_table import Table, to_html
from triscale.report.search_page import search_tables, search_words
from triscale.report.search_page.search_facts import search_facts
from triscale.report.study_facts import facts
from triscale.report.triangle import triangle_figure
from triscale.trials import Stored
from triscale.trials.searches.search_records import SearchRecord


def study_html(folder: Path) -> str:
    """What the records in a folder tell.

    Raises:
        InputError: there are none, or they are broken or those of a training.
    """
    stored = trials.read(folder)
    parts = _search(stored) if stored.one(SearchRecord) is not None else _study(stored)
    return cell([*parts, sentence(f"The whole report: {folder / 'report.html'}")])


def _study(stored: Stored) -> Iterable[str]:
    found = facts(stored)
    yield sentence(wording.headline(found))
    figure = triangle_figure(found)
    yield "" if figure is None else image(figure, "Where the added cost goes best", "28rem")
    yield _table(study_tables.family(found))


def _search(stored: Stored) -> Iterable[str]:
    found = search_facts(stored)
    yield sentence(search_words.headline(found))
    yield "" if found.shown is None else drawing(found.network(found.shown[0]))
    yield _table(search_tables.finalists(found))


def _table(table: Table | None) -> str:
    return "" if table is None else to_html(table)
