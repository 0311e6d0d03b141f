"""The report of a study, from its records alone: an HTML page and a Markdown summary; and pages drawn from specs."""

from pathlib import Path

from triscale import trials
from triscale.errors import InputError, StorageError
from triscale.report.errata import errata_markdown
from triscale.report.facts import facts
from triscale.report.markdown import summary_markdown
from triscale.report.page import page
from triscale.report.scaling_figure import scaling_figure

__all__ = ["errata_markdown", "scaling_figure", "summary_markdown", "write_report"]


def write_report(run_folder: Path) -> Path:
    """Write `report.html` from the records and pictures of a run folder, finished or not; returns its path.

    Raises:
        InputError: there are no records, or they are broken or not those of a study.
        StorageError: the records cannot be read or the page cannot be written.
    """
    path = run_folder / "report.html"
    partial = path.with_suffix(".html.partial")
    stored = trials.read(run_folder)
    try:
        text = page(facts(stored), run_folder)
    except InputError as error:
        raise InputError(f"{run_folder}: {error}") from None
    try:
        # Names of files that are not UTF-8 reach here as lone surrogates, which UTF-8 cannot hold.
        partial.write_text(text, encoding="utf-8", errors="replace")
        partial.replace(path)
    except OSError as error:
        raise StorageError(f"{path}: the report was not written: {error.strerror or error}") from error
    return path
