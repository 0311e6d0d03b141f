"""The errata as a Markdown page."""

from collections.abc import Iterable, Sequence

from triscale.paper import TITLES, Erratum
from triscale.report.printable_table import markdown_text

_OPENING = """# Errata

What the paper (arXiv 1905.11946), articles about it and releases print that is not so, what is true, and how to check
it. triscale computes the numbers when this page is made, by `triscale errata --out docs/errata.md`; a test keeps the
page up to date and runs the checks. MACs are what the paper calls FLOPS."""


def errata_markdown(errata: Sequence[Erratum]) -> str:
    """The page: one section a kind, one entry an erratum."""
    parts = [_OPENING]
    for kind, title in TITLES.items():
        if entries := [_entry(one) for one in errata if one.kind == kind]:
            parts += [f"## {title}", *entries]
    return "\n\n".join(parts) + "\n"


def _entry(one: Erratum) -> str:
    return "\n".join([f"### {one.id}", "", *_lines(one), "", "```sh", *one.check, "```"])


def _lines(one: Erratum) -> Iterable[str]:
    yield f"- Where: {markdown_text(one.where)}"
    yield f"- Said: {markdown_text(one.says)}"
    yield f"- True: {markdown_text(one.truth)}"
