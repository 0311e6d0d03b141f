"""The report of a study or a search, from its records alone: an HTML page and a Markdown summary; and drawn specs."""

from pathlib import Path

from triscale import trials
from triscale.errors import InputError
from triscale.files import write_atomically
from triscale.report import markdown
from triscale.report.errata_page import errata_markdown
from triscale.report.fit_page.fit_facts import fit_facts
from triscale.report.fit_page.fit_html import fit_html
from triscale.report.fit_page.fit_readme import fit_readme
from triscale.report.html_page import page
from triscale.report.scaling_svg import scaling_figure
from triscale.report.search_page.search_facts import search_facts
from triscale.report.search_page.search_html import search_html
from triscale.report.search_page.search_markdown import search_markdown
from triscale.report.study_facts import facts
from triscale.report.study_json import StudyDocument, study_document
from triscale.report.triangle import triangle_figure
from triscale.trials.fits.fit_records import FitRecord
from triscale.trials.searches.search_records import SearchRecord
from triscale.trials.study_records import StudyRecord

__all__ = [
    "StudyDocument",
    "errata_markdown", "scaling_figure", "study_document", "study_triangle", "summary_markdown", "write_fit_readme",
    "write_report",
]  # fmt: skip


def write_report(run_folder: Path) -> Path:
    """Write `report.html` from the records and images of a run folder, finished or not; returns its path.

    Raises:
        InputError: there are no records, or they are broken or those of a training.
        OutputError: the folder cannot be written to.
        StorageError: the records cannot be read, or writing the page failed.
    """
    path = run_folder / "report.html"
    stored = trials.read(run_folder)
    if not len(stored) and all(stored.one(kind) is None for kind in (StudyRecord, SearchRecord, FitRecord)):
        raise InputError(f"{run_folder / trials.RECORDS} holds no study.")
    try:
        text = _html(stored, run_folder)
    except InputError as error:
        raise InputError(f"{run_folder}: {error}") from None
    # Names of files that are not UTF-8 reach here as lone surrogates, which UTF-8 cannot hold.
    write_atomically(path, text.encode("utf-8", errors="replace"))
    return path


def _html(stored: trials.Stored, run_folder: Path) -> str:
    if stored.one(SearchRecord) is not None:
        return search_html(search_facts(stored))
    if stored.one(FitRecord) is not None:
        return fit_html(fit_facts(stored))
    return page(facts(stored), run_folder)


def write_fit_readme(folder: Path) -> Path:
    """Write `README.md` of a fit from its records; returns its path.

    Raises:
        InputError: there are no records of a fit.
        OutputError, StorageError: the folder cannot be written to, or read.
    """
    path = folder / "README.md"
    write_atomically(path, fit_readme(fit_facts(trials.read(folder))).encode("utf-8", errors="replace"))
    return path


def summary_markdown(stored: trials.Stored) -> str:
    """A short Markdown summary of a study, a search or a fit, finished or not.

    Raises:
        InputError: the store holds a training.
    """
    if stored.one(SearchRecord) is not None:
        return search_markdown(search_facts(stored))
    if stored.one(FitRecord) is not None:
        return fit_readme(fit_facts(stored))
    return markdown.summary_markdown(stored)


def study_triangle(stored: trials.Stored) -> str:
    """The scaling triangle of a study as SVG, by itself.

    Raises:
        InputError: the study has no surface, or a triangle of one point.
    """
    if stored.one(SearchRecord) is not None:
        raise InputError("it holds an architecture search, which has no triangle.")
    found = facts(stored)
    figure = triangle_figure(found)
    if figure is not None:
        return figure
    if found.choice is None:
        raise InputError("the study has chosen nothing yet; run the same command again to resume it.")
    raise InputError("the study compared means and has no surface to draw; `triscale report` shows its tables.")
