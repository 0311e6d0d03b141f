"""The benchmark of `make demo`: it runs what the Makefile runs, and compares on seeds that found nothing."""

import re

import pytest

from benchmarks.demo import COMPARING, FINDING, NETWORK, OPTIONS, regret
from tests.paths import ROOT


def test_the_benchmark_runs_what_make_demo_runs() -> None:
    found = re.search(r"^DEMO \?= (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    assert found[1].split() == ["study", NETWORK, *OPTIONS]


def test_the_best_is_found_on_two_seeds_and_compared_on_three_others() -> None:
    """`lucky` wins where it is found and loses two points to `good` where it is compared."""
    first, second = FINDING
    scores = {
        "lucky": {first: 0.9, second: 0.8, **dict.fromkeys(COMPARING, 0.7)},
        "good": {first: 0.8, second: 0.8, **dict.fromkeys(COMPARING, 0.72)},
        "untried": dict.fromkeys(COMPARING, 0.99),
    }
    best, apart = regret(scores, ["lucky", "good", "good"])
    assert best == "lucky"
    assert apart == pytest.approx([0.0, -0.02, -0.02])
    assert not {*FINDING} & {*COMPARING}
