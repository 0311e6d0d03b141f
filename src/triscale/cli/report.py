"""`triscale report`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from triscale.cli.output import Flag, print_json, print_text
from triscale.errors import InputError


def report(run: Annotated[Path, Parameter(name="RUN")], /, *, summary: Flag = False, json: Flag = False) -> None:
    """Write report.html of a study again, from its records alone.

    Args:
        run: the folder of the study, finished or not.
        summary: print a short Markdown summary instead, and write no page.
        json: print one JSON document instead of text.
    """
    from triscale import trials  # noqa: PLC0415
    from triscale.report import summary_markdown, write_report  # noqa: PLC0415  plotly is loaded only here

    if not run.is_dir():
        raise InputError(f"{run}: no such run folder.")
    if summary:
        print_text(summary_markdown(trials.read(run)).rstrip("\n"))
        return
    path = write_report(run)
    if json:
        print_json({"report": str(path)})
    else:
        print_text(str(path))
