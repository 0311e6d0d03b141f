"""The errata: every number is computed, every check shows it, and the committed page is what the data say."""

import re
import shlex
import subprocess
import sys

import pytest

from tests.cli.conftest import Run
from tests.cli.conftest import run as run  # noqa: PLC0414  the fixture
from tests.paths import ROOT
from triscale.paper import ERRATA, TITLES, Erratum, errata_about, implied_phi
from triscale.report import errata_markdown

BY_ID = {one.id: one for one in ERRATA}
CHECKS = [(one, command) for one in ERRATA for command in one.check if "keras" not in command]
"""Keras is not a requirement of ours; its one check is for those who have it."""

# What independent counts say (phi implied by the released coefficients, MACs in billions, and the like).
KNOWN = {
    "reward-exponent": {"right": "5%", "wrong": "38%"},
    "product-is-not-2": {"product": "1.920"},
    "constraint-is-2": {"product": "1.920"},
    "cost-is-not-2-to-phi": {"at1": "2.57", "at7": "102.8"},
    "separable-convolution": {"separable": "224,256", "standard": "1,769,472", "wrong": "205,824", "ratio": "7.9"},
    "table3-resnet50-swapped": {"depth": "14.57", "width": "16.12"},
    "table3-compound": {"v1": "2.47", "v1_288": "2.24", "v2": "1.44", "r50": "15.9"},
    "table7-not-equal-cost": {"depth": "1.575", "width": "1.450", "resolution": "1.538", "compound": "1.800"},
    "table2-counts": {"b1": "0.69", "b4": "4.39", "b5": "10.27", "b7": "37.7", "r152": "11.5", "b2": "9.11"},
    "table1-stage6": {"six": "14", "five": "28"},
    "bk-is-not-phi-k": {"formula": "258", "side": "240"},
    "drop-connect": {"rate": "0.2"},
    "evaluation-crop": {"b0": "0.875", "b4": "0.922", "b7": "0.949"},
    "stochastic-depth-ramp": {"base": "16", "large": "88"},
    "squeeze-excite-ratio": {"right": "5,288,548"},
}

# Paper coefficients taken back to phi by depth, width and resolution.
PHI = {
    "b1": "0.52 0.00 0.49",
    "b2": "1.00 1.00 1.07",
    "b3": "1.85 1.91 2.09",
    "b4": "3.22 3.53 3.78",
    "b5": "4.32 4.93 5.09",
    "b6": "5.24 6.17 6.14",
    "b7": "6.21 7.27 7.05",
}


def shown(one: Erratum, name: str) -> str:
    """A number of an erratum in the form its text has."""
    form = re.search(r"\{" + name + r":([^}]+)\}", one.true)
    assert form, f"{one.id} computes {name} and does not show it"
    return format(one.numbers()[name], form[1])


def test_a_computed_number_matches_an_independent_one() -> None:
    assert {id_: {name: shown(BY_ID[id_], name) for name in numbers} for id_, numbers in KNOWN.items()} == KNOWN


def test_the_implied_phi_matches_an_independent_fit() -> None:
    assert {member: " ".join(f"{phi:.2f}" for phi in implied_phi(member)) for member in PHI} == PHI


def test_an_erratum_is_whole() -> None:
    """A short id, a known kind, a sentence on each side, a check, and no number that the text does not show."""
    for one in ERRATA:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one.id)
        assert one.kind in TITLES, one.id
        assert one.where, one.id
        assert one.says.endswith("."), one.id
        assert one.truth.endswith((".", ").")), one.id
        assert one.check, one.id
        assert "{" not in one.truth, one.id
        assert [name for name in one.numbers() if "{" + name not in one.true] == [], one.id


def test_every_erratum_has_its_own_id() -> None:
    assert len(BY_ID) == len(ERRATA)


def output(run: Run, command: str) -> str:
    program, *arguments = shlex.split(command)
    if program == "triscale":
        answer = run(*arguments)
        assert answer.code == 0, answer.err
        return answer.out
    assert program == "python"
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("one", "command"), CHECKS, ids=lambda it: it.id if isinstance(it, Erratum) else "")
def test_a_check_runs_and_shows_a_number_of_its_erratum(run: Run, one: Erratum, command: str) -> None:
    found = output(run, command)
    assert found
    assert not one.figures or any(figure.strip("%") in found for figure in one.figures)


def test_a_check_that_shows_nothing_of_it_would_be_found(run: Run) -> None:
    found = output(run, "triscale cost smallnet_24")
    assert not any(figure in found for figure in BY_ID["table3-resnet50-swapped"].figures)


def test_the_committed_page_is_what_the_data_say() -> None:
    """Make it again with `triscale errata --out docs/errata.md`."""
    assert errata_markdown(ERRATA) == (ROOT / "docs" / "errata.md").read_text(encoding="utf-8")


def test_the_page_shows_every_erratum_under_its_kind() -> None:
    page = errata_markdown(ERRATA)
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == list(TITLES.values())
    assert [line[4:] for line in page.splitlines() if line.startswith("### ")] == [one.id for one in ERRATA]


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("b3", {"members-do-not-follow-the-formula", "coefficients-one-member-off", "torchvision-b2-at-288"}),
        ("EfficientNet-B4", {"table2-counts", "evaluation-crop", "counters-disagree"}),
        ("senet154", {"table2-senet"}),
        ("ResNet-50", {"table3-resnet50-swapped", "table3-compound"}),
        ("Table 7", {"table7-not-equal-cost", "accuracy-of-b0"}),
        ("phi", {"cost-is-not-2-to-phi", "bk-is-not-phi-k", "phi-of-the-baseline", "constraint-is-2"}),
        ("drop-connect", {"drop-connect"}),
    ],
)
def test_the_errata_of_a_network_or_topic_are_those_that_speak_of_it(name: str, ids: set[str]) -> None:
    found = {one.id for one in errata_about(name, ERRATA)}
    assert ids <= found
    assert len(found) < len(ERRATA) / 2
    if name in ("senet154", "ResNet-50", "drop-connect"):
        assert found == ids


def test_the_command_takes_a_network_or_a_topic(run: Run) -> None:
    answer = run("errata", "B4")
    assert "table2-counts (" in answer.out
    assert "norm-momentum" not in answer.out
    assert [one["id"] for one in run("errata", "senet", "--json").json] == ["table2-senet", "accuracies-of-rivals"]
    wrong = run("errata", "vgg16")
    assert (wrong.code, len(wrong.err.splitlines())) == (64, 2)
    assert "no erratum is about 'vgg16'" in wrong.err
    assert "resnet50" in wrong.err
    assert "drop-connect" in wrong.err
