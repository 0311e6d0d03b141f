"""`triscale report`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from triscale.cli.show.output import Flag, print_json, print_text, printable, write_text
from triscale.errors import InputError, UsageError


def report(
    run: Annotated[Path, Parameter(name="RUN")],
    /,
    *,
    summary: Flag = False,
    triangle: Path | None = None,
    json: Flag = False,
) -> None:
    """Write report.html of a study or a search again, from its records.

    Args:
        run: the folder of the study or the search, finished or not.
        summary: print a short Markdown summary instead, and write no page.
        triangle: write the triangle of depth, width and resolution of a study to this FILE.svg instead.
        json: print one JSON document instead of text.
    """
    from triscale import trials  # noqa: PLC0415
    from triscale.report import summary_markdown, write_report  # noqa: PLC0415  plotly is loaded only here

    if summary and json:
        raise UsageError("give --summary or --json, not both: the summary is Markdown.")
    if triangle is not None:
        _check(triangle, summary=summary)
    if not run.is_dir():
        raise InputError(f"{run}: no such run folder.")
    if summary:
        print_text(summary_markdown(trials.read(run)).rstrip("\n"))
        return
    name, path = ("report", write_report(run)) if triangle is None else ("triangle", _draw(run, triangle))
    if json:
        print_json({name: str(path)})
    else:
        print_text(str(path))


def _check(triangle: Path, *, summary: bool) -> None:
    if summary:
        raise UsageError("give --summary or --triangle, not both.")
    if triangle.suffix.lower() != ".svg":
        raise UsageError(f"--triangle is {printable(triangle)}; give FILE.svg.")


def _draw(run: Path, triangle: Path) -> Path:
    from triscale import trials  # noqa: PLC0415
    from triscale.report import study_triangle  # noqa: PLC0415  plotly is loaded only here

    try:
        figure = study_triangle(trials.read(run))
    except InputError as error:
        raise InputError(f"{run}: {error}") from None
    write_text(triangle, figure)
    return triangle
