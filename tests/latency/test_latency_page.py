"""docs/evidence/latency.md repeats its records."""

import re

from benchmarks.latency_tables import PAGE, TABLES, filled, table4


def test_the_tables_are_those_of_the_records() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert filled(text) == text, "python -m benchmarks.latency_tables writes them again"


def test_a_changed_figure_would_be_found() -> None:
    text = PAGE.read_text(encoding="utf-8")
    first = list(table4())[2]
    changed = text.replace(first, re.sub(r"\d\.\d\dx", "1.23x", first))
    assert changed != text
    assert filled(changed) == text


def test_every_table_has_rows() -> None:
    assert all(len(list(table())) > 4 for table in TABLES.values())
