"""docs/evidence/latency.md, docs/int8.md, docs/native.md and docs/memory.md repeat their records."""

import re
from pathlib import Path

import pytest

from benchmarks import latency_tables
from benchmarks.deployed import ALLOWED
from benchmarks.latency_tables import PAGE, TABLES, filled, recorded, table4


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_the_tables_are_those_of_the_records(path: Path) -> None:
    assert filled(path) == path.read_text(encoding="utf-8"), "python -m benchmarks.latency_tables writes them again"


def test_a_changed_figure_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, text = list(table4())[2], PAGE.read_text(encoding="utf-8")
    copy = tmp_path / "page.md"
    copy.write_text(text.replace(first, re.sub(r"\d\.\d\dx", "1.23x", first)), encoding="utf-8")
    monkeypatch.setattr(latency_tables, "TABLES", {copy: TABLES[PAGE]})
    assert copy.read_text(encoding="utf-8") != text
    assert filled(copy) == text


def test_every_table_has_rows() -> None:
    assert all(len(list(table())) > 2 for tables in TABLES.values() for table in tables.values())


def test_what_auto_wrote_took_at_most_the_allowed_share_of_the_best_peers_time() -> None:
    """In every record, of whatever commit."""
    found = recorded("deployed")
    assert found
    for one in found:
        assert one["ratio"] <= one["allowed"] <= ALLOWED, (one["network"], one["date"])
