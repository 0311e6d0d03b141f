"""`triscale scale`."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from triscale import spec
from triscale.trials import TrialStore
from triscale.trials.study_records import ChoiceRecord, CoefficientsRecord

B0 = "efficientnet_b0"


def test_by_phi_it_follows_the_compound_rule(run: Run) -> None:
    found = run("scale", B0, "--phi", 1, "--json").json
    assert found["factors"] == pytest.approx({"depth": 1.2, "width": 1.1, "resolution": 1.15, "phi": 1})
    assert found["network"]["name"] == f"{B0}@phi=1.0"
    assert found["cost"]["macs"] / found["baseline"]["macs"] == pytest.approx(found["ratio"]["macs"])
    assert (found["slack"], found["binding"]) == ({}, [])


def test_by_factors_what_is_not_given_stays(run: Run) -> None:
    found = run("scale", B0, "--width", 2, "--json").json
    assert found["factors"] == {"depth": 1, "width": 2, "resolution": 1, "phi": None}
    assert found["cost"]["resolution"] == [224, 224]


def test_a_budget_is_kept_and_the_binding_limit_named(run: Run) -> None:
    found = run("scale", B0, "--budget", "macs=1.0G", "--budget", "params=9M", "--json").json
    assert found["slack"]["macs"] == 1e9 - found["cost"]["macs"] >= 0
    assert found["slack"]["params"] == 9e6 - found["cost"]["params"] >= 0
    assert found["binding"] == ["params"]
    assert found["notch"]["cost"]["params"] > 9e6


def test_memory_limits_hold_at_the_batch(run: Run) -> None:
    found = run("scale", B0, "--budget", "training_memory=2GiB", "--batch", 16, "--json").json
    assert found["cost"]["batch"] == 16
    assert found["cost"]["training_memory"] + found["slack"]["training_memory"] == 2 * 2**30


def test_much_unused_is_said_and_fill_spends_it(run: Run) -> None:
    """Just above B0 every stage gains a block, so that a budget a little below that cliff stays unused."""
    limits = ("--budget", "macs=550M")
    bare, filled = run("scale", B0, *limits), run("scale", B0, *limits, "--fill")
    assert "stays unused" in bare.out
    assert "--fill" in bare.out
    assert "filled: resolution" in filled.out
    unused, left = (run("scale", B0, *limits, *more, "--json").json for more in ((), ("--fill",)))
    assert left["unused"] < 0.1 < unused["unused"]
    assert left["left_rule"]["resolution"] > 1
    assert left["cost"]["macs"] <= 550e6


def test_explain_lists_wanted_and_got(run: Run) -> None:
    rows = run("scale", B0, "--phi", 1, "--explain", "--json").json["rounding"]
    repeats = next(row for row in rows if row["field"] == "stages[1].repeats")
    assert (repeats["base"], repeats["wanted"], repeats["got"]) == (2, 2.4, 3)
    assert "stages[1].repeats" in run("scale", B0, "--phi", 1, "--explain").out


def test_stem_and_head_can_be_kept(run: Run) -> None:
    network = run("scale", B0, "--phi", 2, "--fix-stem-head", "--json").json["network"]
    assert network["stem"]["channels"] == 32
    assert network["head"]["channels"] == 1280
    again = run("scale", network["name"], "--width", 1, "--json").json["network"]
    assert spec.from_document(again) == spec.from_document(network), "the name must make the same network"


def test_out_writes_a_spec_that_serves_as_a_network(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "wide.json"
    found = run("scale", B0, "--width", 1.5, "--out", path, "--json").json
    assert run("cost", path, "--json").json["macs"] == found["cost"]["macs"]


def test_coefficients_come_from_numbers_a_file_or_a_study(run: Run, tmp_path: Path) -> None:
    chosen = {"alpha": 1.3, "beta": 1.05, "gamma": 1.1}
    (tmp_path / "found.json").write_text(json.dumps(chosen))
    choice = ChoiceRecord(
        ranking=(), tied=(), chosen="", coefficients=CoefficientsRecord(**chosen), noise_sd=0, noise_freedom=0,
        half_agrees=True,
    )  # fmt: skip
    with TrialStore(tmp_path) as store:
        store.add(choice)
    for source in ("1.3,1.05,1.1", tmp_path / "found.json", tmp_path / "records.jsonl", tmp_path):
        found = run("scale", B0, "--phi", 1, "--coefficients", source, "--json").json
        assert found["coefficients"] == chosen, source
        assert found["factors"]["depth"] == 1.3


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"alpha": "x"}', '{"coefficients": 3}', "\0"])
def test_a_file_without_coefficients_is_wrong_input(run: Run, tmp_path: Path, content: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(content)
    answer = run("scale", B0, "--phi", 1, "--coefficients", path)
    assert answer.code == 65
    assert "wrong.json" in answer.err


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--phi", 1, "--depth", 2),
        ("--phi", 1, "--budget", "macs=1G"),
        ("--depth", 2, "--rule", "width"),
        ("--phi", 1, "--rule", "widht"),
        ("--phi", 1, "--rule", "width", "--coefficients", "1.2,1.1,1.15"),
        ("--phi", 1, "--fill"),
        ("--phi", 1, "--batch", 0),
        ("--phi", 1, "--coefficients", "1.2,1.1"),
        ("--phi", 1, "--coefficients", "1.2,1.1,-1"),
        ("--phi", 1, "--coefficients", "nan,1,1"),
        ("--budget", "training_memory=8GiB"),
        ("--budget", "mac=1G"),
    ],
)
def test_options_that_do_not_go_together_are_a_usage_error(run: Run, options: tuple[object, ...]) -> None:
    answer = run("scale", B0, *options)
    assert answer.code == 64, answer
    assert answer.err.startswith("triscale: ")


def test_the_text_shows_ratio_slack_and_notch(run: Run) -> None:
    text = run("scale", B0, "--budget", "macs=1.0G", "--budget", "params=9M").out
    assert "MBConv6, k3x3" in text
    assert "ratio" in text
    assert "slack" in text
    assert "one notch more" in text
    assert text.count("binds") == 1
