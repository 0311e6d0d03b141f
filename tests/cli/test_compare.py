"""`triscale compare`, `triscale errata`, and what `triscale networks` shows of printed figures."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.paths import ROOT
from triscale.paper import ERRATA


def documented(document: str) -> set[str]:
    """The keys that docs/json.md names for a document."""
    rows = (ROOT / "docs" / "json.md").read_text(encoding="utf-8").splitlines()
    text = next(row for row in rows if row.startswith(f"| `{document}` |")).split("|")[2]
    return set(re.findall(r"`([a-z0-9_]+)`", re.sub(r"\([^)]*\)", "", text)))


def line(text: str, start: str) -> str:
    return next(one for one in text.splitlines() if one.strip().startswith(start))


def test_networks_shows_a_printed_figure_only_where_it_differs(run: Run) -> None:
    text = run("networks").out
    assert "MACs 4.2 B" in line(text, "efficientnet_b4 ")
    assert line(text, "efficientnet_b0 ").endswith("224x224")
    rows = {row["name"]: row for row in run("networks", "--json").json}
    assert (rows["efficientnet_b4"]["differs"], rows["efficientnet_b0"]["differs"]) == (["macs"], [])
    assert rows["efficientnet_b0"]["published"]["macs"] == "0.39 B"
    assert rows["smallnet_24"]["published"] is None


def test_networks_takes_a_pattern(run: Run) -> None:
    names = [row["name"] for row in run("networks", "efficientnet_b[0-3]", "--json").json]
    assert names == [f"efficientnet_b{index}" for index in range(4)]


def test_compare_shows_table_2_unless_told_otherwise(run: Run) -> None:
    assert run("compare").out == run("compare", "--set", "table2").out
    text = run("compare").out
    assert "4.8x" in line(text, "ResNet-50")
    assert "params 4.9x" in line(text, "ResNet-50")
    assert "14 M*" in line(text, "DenseNet-169")
    assert "* as printed" in text


@pytest.mark.parametrize("table", ["table2", "table3", "table7"])
def test_the_text_of_a_table_has_every_row_of_its_json(run: Run, table: str) -> None:
    found = run("compare", "--set", table, "--json").json
    text = run("compare", "--set", table).out
    assert found["set"] == table
    assert all(row["label"] in text for row in found["rows"])
    assert "MACs 1.8 B" in text or table != "table7"


def test_compare_puts_any_networks_side_by_side(run: Run, tmp_path: Path) -> None:
    spec = tmp_path / "mine.json"
    run("scale", "smallnet_24", "--phi", "1", "--out", spec)
    rows = run("compare", "smallnet_24", spec, "--json").json["rows"]
    assert [row["macs_ratio"] for row in rows] == [1, rows[1]["macs"] / rows[0]["macs"]]
    text = run("compare", "resnet50", "efficientnet_b0").out
    assert "0.21x" in line(text, "efficientnet_b0")
    assert "MiB" in line(text, "efficientnet_b0")


def test_compare_draws_a_network_scaled(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "scaling.svg"
    found = run("compare", "--figure", path, "--json").json
    assert found == {"figure": str(path), "network": "efficientnet_b0", "phi": 2.0}
    assert path.read_bytes() == (ROOT / "docs" / "scaling.svg").read_bytes()
    assert run("compare", "smallnet_24", "--figure", path, "--phi", "1").code == 0
    assert "smallnet_24" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("arguments", [("compare", "--figure"), ("errata", "--out")])
def test_a_page_that_cannot_be_created_is_told(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    answer = run(*arguments, tmp_path / "missing" / "page.svg")
    assert (answer.code, answer.out) == (73, "")
    assert len(answer.err.splitlines()) == 1


def test_errata_shows_every_entry_in_text_and_json(run: Run, tmp_path: Path) -> None:
    text, rows = run("errata").out, run("errata", "--json").json
    assert [row["id"] for row in rows] == [one.id for one in ERRATA]
    assert all(row["truth"] in text and row["says"] in text for row in rows)
    assert next(row for row in rows if row["id"] == "separable-convolution")["numbers"]["separable"] == 224_256
    assert run("errata", "--out", tmp_path / "errata.md").code == 0
    assert (tmp_path / "errata.md").read_bytes() == (ROOT / "docs" / "errata.md").read_bytes()


def test_the_documented_keys_are_those_of_the_documents(run: Run, tmp_path: Path) -> None:
    table = run("compare", "--json").json
    documents: dict[str, dict[str, Any]] = {
        "networks": run("networks", "resnet18", "--json").json[0],
        "compare": table,
        "compare.rows": table["rows"][0],
        "published": table["rows"][0]["published"],
        "compare --figure": run("compare", "--figure", tmp_path / "x.svg", "--json").json,
        "errata": run("errata", "--json").json[0],
    }
    for name, document in documents.items():
        assert documented(name) == set(document), name
