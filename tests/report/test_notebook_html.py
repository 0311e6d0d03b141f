"""What notebooks show: numbers that are counted, names that are escaped, and nothing that loads torch."""

import base64
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import triscale
from tests.report import sample, surfaces
from tests.report.reading import Reader
from triscale import units
from triscale.costs import count
from triscale.report.notebook import html_of, study_html

B0 = triscale.network("efficientnet_b0")


def shown(value: object) -> str:
    """As a notebook asks for it."""
    found = value._repr_html_()  # type: ignore[attr-defined]
    assert isinstance(found, str)
    HTMLParser().feed(found)
    assert "<script" not in found
    return found


def test_a_network_shows_a_stage_a_row_whose_costs_add_up_to_the_paper_s() -> None:
    """B0: 5.29 M params, 386 M MACs, nine rows as in Table 1; the drawing is an image that needs nothing else."""
    page = shown(B0)
    head, *rows = Reader(page).tables[0]
    assert head[:4] == ["stage", "operator", "input", "channels"]
    assert [row[3] for row in rows] == ["32", "16", "24", "40", "80", "112", "192", "320", "1280"]
    assert sum(float(row[7].split()[0]) for row in rows) == pytest.approx(100, abs=0.5)
    assert "5.29 M params, 386 M MACs" in page
    (address,) = re.findall(r"data:image/svg\+xml;base64,([\w+/=]+)", page)
    assert base64.b64decode(address).startswith(b"<svg")


def test_a_cost_shows_its_numbers_whole() -> None:
    text = " ".join(Reader(shown(triscale.cost(B0, kernels=None))).words)
    assert "385,814,752" in text
    assert "5,288,548" in text


def test_a_budget_shows_what_each_limit_leaves() -> None:
    found = triscale.fit_budget(B0, macs=1e9, params=9e6)
    rows = {row[0]: row[1:] for row in Reader(shown(found)).tables[0]}
    costs = count(found.network)
    assert rows["macs"][:2] == [f"{costs.macs:,}", "1,000,000,000"]
    assert rows["params"][:2] == [f"{costs.params:,}", "9,000,000"]
    assert (rows["macs"][3], rows["params"][3]) == ("no", "yes")
    assert int(rows["params"][2].replace(",", "")) > 9_000_000


def test_a_trial_shows_its_accuracy_and_its_curve() -> None:
    trial = sample.study().trials()[0]
    page = shown(trial)
    assert units.percent(trial.metrics["validation_top1"]) in page
    assert "data:image/svg+xml" in page
    failed = replace(trial, state="failed", reason="<b>loss</b> is not finite", history=())
    assert "&lt;b&gt;loss" in shown(failed)
    assert "data:image" not in shown(failed)


def test_a_study_shows_the_sentence_of_its_report_the_picture_and_the_family(tmp_path: Path) -> None:
    page = study_html(sample.write_run(tmp_path / "run", surfaces.studied()))
    assert page.index("times the cost of flower_24") < page.index("data:image/svg+xml") < page.index("compound φ=1")


def test_names_are_text() -> None:
    assert "&lt;img src=x&gt;" in shown(replace(B0, name="<img src=x>"))


def test_what_cannot_be_drawn_has_its_text() -> None:
    huge = replace(triscale.network("efficientnet_l2"), resolution=(100_000, 100_000))  # above 1e15 MACs
    assert html_of(huge) is None
    assert html_of(object()) is None


def test_a_value_of_a_low_room_is_drawn_without_torch_and_without_ipython() -> None:
    code = (
        "import sys\nfrom triscale.spec import Network\nfrom triscale.families import network\n"
        "assert network('smallnet_24')._repr_html_().startswith('<div')\n"
        "print(sorted({'torch', 'IPython'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
