"""The agenda: every training once, in the order of the phases, stand-ins only where nothing is known."""

from collections import Counter

import pytest

from triscale.families import network
from triscale.search.coefficients.baselines import RIVALS
from triscale.search.coefficients.candidates import candidates
from triscale.search.coefficients.rivals import rivals_of
from triscale.search.studies.agenda import LEADERS, Training, agenda, longer_epochs
from triscale.spec import content_hash, scale

BASE = network("smallnet_24")
FOUND = candidates(BASE, most=8)
CORNERS = [one for one in FOUND if one.rule != "grid"]
GRID = [one for one in FOUND if one.rule == "grid"]
PHASES = ["baseline", "search", "leaders", "family", "compute"]


def phases(jobs: list[Training]) -> dict[str, int]:
    return dict(Counter(job.purpose for job in jobs))


def test_at_phi_1_the_family_is_what_the_search_trains() -> None:
    found = agenda(BASE, FOUND, [1.0], [0, 1], 10, rivals=rivals_of(RIVALS))
    assert phases(found) == {"baseline": 2, "search": 8, "leaders": LEADERS + 3, "compute": 1}
    assert found[-1] == Training(BASE, "compute", 0, 20)
    assert [PHASES.index(job.purpose) for job in found] == sorted(PHASES.index(job.purpose) for job in found)
    assert len({job.key for job in found}) == len(found)


def test_a_larger_phi_adds_a_member_and_its_rivals() -> None:
    found = agenda(BASE, FOUND, [1.0, 2.0], [5, 6, 7], 10, rivals=rivals_of(RIVALS))
    assert phases(found) == {"baseline": 3, "search": 8, "leaders": 2 * (LEADERS + 3), "family": 3 * 4, "compute": 2}
    assert phases(agenda(BASE, FOUND, [1.0, 2.0], [5, 6, 7], 10))["family"] == 3 * 5, "usually the paper's is one more"
    assert {job.seed for job in found if job.purpose == "search"} == {5}
    assert {job.seed for job in found if job.purpose == "leaders"} == {6, 7}
    assert [job.epochs for job in found if job.purpose == "compute"] == [20, 40]


def test_who_leads_is_trained_once_though_a_corner() -> None:
    leading = [content_hash(one.network) for one in (CORNERS[0], GRID[0], GRID[-1])]
    found = agenda(BASE, FOUND, [1.0], [0, 1], 10, leading=leading)
    further = {content_hash(job.network) for job in found if job.purpose == "leaders"}
    assert further == {*leading, *(content_hash(one.network) for one in CORNERS)}
    assert len([job for job in found if job.purpose == "leaders"]) == 5


def test_known_members_take_the_place_of_expected_ones() -> None:
    larger = scale(BASE, depth=3, width=2)
    found = agenda(BASE, FOUND, [1.0, 2.0], [0, 1], 10, members=[BASE, GRID[-1].network, larger])
    family = [(job.network, job.seed) for job in found if job.purpose == "family"]
    assert family == [(GRID[-1].network, 1), (larger, 0), (larger, 1)], "the rest is trained already"


def test_without_a_candidate_of_the_grid_there_is_an_agenda_too() -> None:
    assert phases(agenda(BASE, CORNERS, [1.0, 2.0], [0], 10))["search"] == 3


@pytest.mark.parametrize(("phi", "epochs"), [(-1, 10), (0, 10), (0.5, 14), (1, 20), (3, 80)])
def test_the_baseline_is_trained_longer_by_two_to_the_phi(phi: float, epochs: int) -> None:
    assert longer_epochs(10, phi) == epochs
