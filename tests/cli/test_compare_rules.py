"""`triscale compare NET --rules`, and what `triscale scale` says about its rule."""

import pytest

from tests.cli.conftest import Run
from tests.cli.test_compare import documented, line
from triscale import fit_budget, scale_by_rules
from triscale.costs import count
from triscale.scaling import RULES, factors
from triscale.scaling import network as named

B0 = "efficientnet_b0"


def test_every_rule_stands_beside_the_network_with_its_source(run: Run) -> None:
    found = run("compare", B0, "--rules", "all", "--phi", -2, "--coefficients", "1.3,1.1,1.05", "--json").json
    assert found["set"] is None
    baseline, *rows = found["rows"]
    assert (baseline["network"], baseline["rule"], baseline["factors"]) == (B0, None, None)
    assert [row["rule"] for row in rows] == list(RULES)
    for row in rows:
        assert row["rule_source"] == RULES[row["rule"]].source
        assert row["macs"] == count(named(row["network"])).macs
        assert row["macs_ratio"] == row["macs"] / baseline["macs"]
    assert rows[0]["factors"] == factors("compound", -2)._asdict(), "compound stays the paper's"
    assert rows[6]["factors"]["depth"] == pytest.approx(1.3**-2)
    assert set(rows[0]) - documented("compare.rows") == documented("compare --rules")
    text = run("compare", B0, "--rules", "all", "--phi", -2).out
    assert all(rule.source in text for name, rule in RULES.items() if name != "found")
    assert "0.46x" in line(text, f"{B0}@phi=-2.0 ")


def test_within_a_budget_each_rule_has_its_largest_network(run: Run) -> None:
    rows = run("compare", B0, "--rules", "width,fast", "--budget", "macs=800M", "--json").json["rows"]
    assert [row["rule"] for row in rows] == [None, "width", "fast"]
    for row in rows[1:]:
        fit = fit_budget(B0, rule=row["rule"], macs=8e8)
        assert (row["network"], row["phi"], row["macs"]) == (fit.network.name, fit.phi, fit.fit.cost["macs"])


def test_rules_without_a_network_are_left_out_of_all_and_named(run: Run) -> None:
    """No depth alone makes B0 as small as 100 M MACs."""
    answer = run("compare", B0, "--rules", "all", "--budget", "macs=100M", "--json")
    assert answer.json["rows"][-1]["rule"] == "tinynet"
    assert all(row["macs"] <= 1e8 for row in answer.json["rows"][1:])
    assert answer.err == "triscale: note: without a network here: depth, found.\n"
    assert "found, tinynet" in run("compare", B0, "--rules", "all").err
    assert "the budget cannot be reached" in run("compare", B0, "--rules", "all", "--budget", "macs=10").err


def test_from_python_they_are_the_same(run: Run) -> None:
    rows = run("compare", B0, "--rules", "uniform,depth", "--json").json["rows"]
    found = scale_by_rules(B0, "uniform", "depth", phi=1.0)
    assert [(one.rule, one.source, one.network.name) for one in found] == [
        (row["rule"], row["rule_source"], row["network"]) for row in rows[1:]
    ]
    assert [one.rule for one in scale_by_rules(B0, macs="1G")] == [
        name for name in RULES if name not in ("found", "tinynet")
    ]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--rules", "all"), "give one NET"),
        ((B0, "resnet18", "--rules", "all"), "give one NET"),
        ((B0, "--rules", "deep"), "unknown rule 'deep'"),
        ((B0, "--rules", "found"), "needs the coefficients of a study"),
        ((B0, "--rules", "tinynet"), "give a phi below 0"),
        ((B0, "--rules", "all", "--phi", 1, "--budget", "macs=1G"), "give one of the two"),
        ((B0, "--budget", "macs=1G"), "belong to --rules"),
        ((B0, "--rules", "all", "--budget", "training_memory=1GiB"), "give --batch"),
        ((B0, "--rules", "all", "--figure", "x.svg"), "give --figure or --rules"),
    ],
)
def test_what_cannot_be_compared_is_said_in_few_lines(run: Run, arguments: tuple[str, ...], why: str) -> None:
    answer = run("compare", *arguments)
    assert answer.code in (64, 65)
    assert why in answer.err
    assert len(answer.err.splitlines()) <= 3


def test_scale_prints_the_source_of_its_rule(run: Run) -> None:
    found = run("scale", B0, "--phi", 1, "--rule", "fast_compound", "--json").json
    assert (found["rule"], found["rule_source"]) == ("fast_compound", RULES["fast_compound"].source)
    assert found["coefficients"] is None
    assert RULES["fast_compound"].source in run("scale", B0, "--phi", 1, "--rule", "fast_compound").out
    assert run("scale", B0, "--width", 2, "--json").json["rule_source"] is None
    own = run("scale", B0, "--phi", 1, "--rule", "found", "--coefficients", "1.3,1.1,1.05", "--json").json
    assert own["coefficients"] == {"alpha": 1.3, "beta": 1.1, "gamma": 1.05}
    assert own["network"]["name"] == f"{B0}@phi=1.0,coefficients=1.3/1.1/1.05"
