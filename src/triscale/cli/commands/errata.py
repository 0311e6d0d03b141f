"""`triscale errata`."""

from pathlib import Path

from triscale.cli.show.output import Flag, print_json, print_text, write_text
from triscale.paper import ERRATA, TITLES


def errata(*, out: Path | None = None, json: Flag = False) -> None:
    """What the paper, articles and ports print that is not so, what is true (counted now), and how to check it.

    Args:
        out: write the list there as a Markdown page.
        json: print one JSON document instead of text.
    """
    if out is not None:
        from triscale.report import errata_markdown  # noqa: PLC0415  plotly is loaded only where a report is made

        write_text(out, errata_markdown(ERRATA))
    if json:
        print_json([one.to_dict() for one in ERRATA])
        return
    for kind, title in TITLES.items():
        print_text(title, "=" * len(title), "")
        for one in (found for found in ERRATA if found.kind == kind):
            print_text(f"{one.id} ({one.where})", f"  said:  {one.says}", f"  true:  {one.truth}")
            print_text(*(f"  check: {command}" for command in one.check), "")
