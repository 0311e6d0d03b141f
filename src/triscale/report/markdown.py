"""A short Markdown summary of a study: the answer, the tables, the data."""

from collections.abc import Iterable

from triscale.report import study_tables, wording
from triscale.report.notices import notices
from triscale.report.printable_table import Table, markdown_text, to_markdown
from triscale.report.study_facts import facts
from triscale.report.triangle import triangle_sentences, triangle_table
from triscale.trials import Stored


def summary_markdown(stored: Stored) -> str:
    """The summary that stands beside committed records; an unfinished study says what is missing."""
    found = facts(stored)
    parts = [
        f"# {markdown_text(wording.title(found))}",
        _bullets(found.answer or ["No answer yet: the study is unfinished."]),
        *_section(
            "Where the added cost goes best",
            [*map(markdown_text, triangle_sentences(found)), *_tables(triangle_table(found))],
        ),
        *_section("What to know", [_bullets(notices(found))]),
        *_section("The question", [_pairs(wording.question(found))]),
        *_section("The family", _tables(study_tables.family(found))),
        *_section(
            "The candidates", [markdown_text(wording.coefficients(found)), *_tables(study_tables.candidates(found))]
        ),
        *_section("Equal training compute", _tables(study_tables.equal_compute(found))),
        *_section("Data", [_pairs(wording.data_facts(found))]),
        *_section("Training", [_pairs(wording.plan_facts(found))]),
        *_section("Machine and versions", [_pairs(wording.origin(found))]),
        *_section("How it is counted", [_bullets(wording.method(found))]),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, parts: Iterable[str]) -> list[str]:
    """A headed section; nothing at all when it would be empty."""
    filled = [part for part in parts if part]
    return [f"## {title}", *filled] if filled else []


def _tables(table: Table | None) -> list[str]:
    return [] if table is None else [to_markdown(table)]


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {markdown_text(line)}" for line in lines)


def _pairs(lines: Iterable[tuple[str, str]]) -> str:
    return _bullets(f"{name}: {value}" for name, value in lines)
