"""docs/imagenet-study.md plans from counts: each of its numbers is computed here again."""

import re

import pytest

from tests.paths import ROOT
from triscale.costs import count
from triscale.data.split import VALIDATION
from triscale.families import network
from triscale.foreign import count_any
from triscale.search.coefficients.baselines import RIVALS
from triscale.search.coefficients.candidates import candidates
from triscale.search.coefficients.family import steps
from triscale.search.coefficients.lattice import LATTICE
from triscale.search.coefficients.rivals import rivals_of
from triscale.search.planning.agenda import agenda
from triscale.search.planning.training_length import EVALUATION
from triscale.search.trainings.shared_terms import Training

PAGE = ROOT / "docs" / "imagenet-study.md"
STEPS = (("baseline",), ("search",), ("family", "compute"))
IMAGES, EPOCHS, SHORT, SEEDS, SEARCH, ROUND = 1_281_167, 100, 30, 5, 64, 14
PEAK, USED, PASSES, FLOPS_A_MAC, GPUS_A_NODE = 312e12, 0.015, 3, 2, 8


def trainings() -> tuple[int, dict[str, tuple[int, float, float]]]:
    """Candidates of the study, and for each step its trainings, their work and the longest, in trainings of B0."""
    b0 = network("efficientnet_b0")
    found = candidates(b0, tolerance=0.1, most=50)
    planned = agenda(b0, found, steps(1.0), range(SEEDS), EPOCHS, SEARCH, rivals=rivals_of(RIVALS))
    rounds = 1 + -(-(SEARCH - len(LATTICE)) // ROUND)
    macs = count(b0).macs

    def work(one: Training) -> float:
        return count_any(one.network).macs / macs * one.epochs / EPOCHS

    parts = [[work(one) for one in planned if one.purpose in purposes] for purposes in STEPS]
    assert sum(map(len, parts)) == len(planned)
    rows = {
        name: (len(part), sum(part), max(part)) for name, part in zip(("first", "second", "third"), parts, strict=True)
    }
    n, whole, longest = rows["second"]
    rows["second"] = n, whole, rounds * longest
    return len(found), {**rows, "all": (len(planned), sum(map(sum, parts)), sum(one[2] for one in rows.values()))}


def numbers() -> dict[str, str]:
    """Every number of the page by the name of its mark."""
    found, rows = trainings()
    macs = count(network("efficientnet_b0")).macs
    drawn = round(VALIDATION * IMAGES)
    rate = PEAK * USED / (PASSES * FLOPS_A_MAC * macs)
    hours = (IMAGES - drawn + EVALUATION * drawn) * EPOCHS / rate / 3600
    _, work, longest = rows["all"]
    table = {
        mark: text
        for name, (n, part, most) in rows.items()
        for mark, text in ((name, str(n)), (f"{name}-work", f"{part:.2f}"), (f"{name}-longest", f"{most:.2f}"))
    }
    return {
        **table,
        "candidates": str(found),
        "macs": f"{macs:,}",
        "gflop": f"{PASSES * FLOPS_A_MAC * macs / 1e9:.2f}",
        "images": f"{IMAGES - drawn:,}",
        "validated": f"{drawn:,}",
        "rate": f"{rate:,.0f}",
        "b0-hours": f"{hours:.1f}",
        "gpu-hours": f"{work * hours:,.0f}",
        "wall-hours": f"{longest * hours:.0f}",
        "days": f"{longest * hours / 24:.1f}",
        "busy": str(ROUND),
        "short-gpu-hours": f"{work * hours * SHORT / EPOCHS:,.0f}",
        "short-wall-hours": f"{longest * hours * SHORT / EPOCHS:.0f}",
        "node-rate": f"{GPUS_A_NODE * rate / 2:,.0f}",
    }


def test_every_number_of_the_page_follows_from_counts_and_its_assumptions() -> None:
    """A mark `<!-- name -->number<!-- -->` stands around each."""
    told = re.findall(r"<!-- ([a-z0-9-]+) -->([^<]*)<!-- -->", PAGE.read_text(encoding="utf-8"))
    assert dict(told) == numbers()
    assert len(told) == len(dict(told))


def test_the_assumptions_and_the_command_are_those_of_the_page() -> None:
    """What is not counted is said in words."""
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    for words in (
        "312 TFLOP/s", "1.5%", "3 times the forward pass", "2 floating-point operations a MAC", "counts as a third",
        "--epochs 100", "--seeds 5", "--candidates 50", "--trainings 64", "--round 14", "--phi 1",
        "8 trainings on a node",
    ):  # fmt: skip
        assert words in page
    assert pytest.approx(1 / 3) == EVALUATION
