"""The agenda: every training once, in the order of the phases, stand-ins only where nothing is known."""

from collections import Counter

import pytest

from triscale.families import network
from triscale.search.coefficients.baselines import RIVALS
from triscale.search.coefficients.candidates import candidates
from triscale.search.coefficients.family import steps
from triscale.search.coefficients.rivals import rivals_of
from triscale.search.planning.agenda import agenda, longer_epochs
from triscale.search.trainings.shared_terms import Training
from triscale.spec import content_hash, scale

BASE = network("finenet_24")
FOUND = candidates(BASE, most=10)
CORNERS = [one for one in FOUND if one.rule != "grid"]
GRID = [one for one in FOUND if one.rule == "grid"]
PHASES = ["baseline", "search", "family", "compute"]


def phases(jobs: list[Training]) -> dict[str, int]:
    return dict(Counter(job.purpose for job in jobs))


def test_at_phi_1_the_family_is_what_the_search_trains_and_further_seeds_of_it() -> None:
    """Of the chosen one, which a middling candidate stands in for, and of the three corners."""
    found = agenda(BASE, FOUND, [1.0], [0, 1], 10, 12, rivals=rivals_of(RIVALS))
    assert phases(found) == {"baseline": 2, "search": 12, "family": 2, "compute": 1}
    assert found[-1] == Training(BASE, "compute", 0, 20)
    assert [PHASES.index(job.purpose) for job in found] == sorted(PHASES.index(job.purpose) for job in found)
    assert len({job.key for job in found}) == len(found)


def test_a_larger_phi_adds_a_member_and_its_rivals() -> None:
    found = agenda(BASE, FOUND, [1.0, 2.0], [5, 6, 7], 10, 30, rivals=rivals_of(RIVALS))
    assert phases(found) == {"baseline": 3, "search": 30, "family": 3 * 4, "compute": 2}
    usual = agenda(BASE, FOUND, [1.0, 2.0], [5, 6, 7], 10, 30)
    assert phases(usual)["family"] == 3 * 6, "usually the paper's is one more at each phi"
    assert {job.seed for job in found if job.purpose == "search"} == {5, 6, 7}
    assert [job.epochs for job in found if job.purpose == "compute"] == [20, 40]


def test_what_the_search_asked_for_takes_the_place_of_what_it_may_ask() -> None:
    asked = [(GRID[-1].network, 0), (GRID[-1].network, 1)]
    found = agenda(BASE, FOUND, [1.0], [0, 1], 10, 3, asked=asked)
    searched = [(job.network, job.seed) for job in found if job.purpose == "search"]
    assert searched == [*asked, (FOUND[0].network, 0)]
    ended = agenda(BASE, FOUND, [1.0], [0, 1], 10, 2, asked=asked)
    assert [(job.network, job.seed) for job in ended if job.purpose == "search"] == asked


def test_known_members_take_the_place_of_expected_ones() -> None:
    larger = scale(BASE, depth=3, width=2)
    found = agenda(BASE, FOUND, [1.0, 2.0], [0, 1], 10, 10, members=[BASE, GRID[-1].network, larger])
    family = [(job.network, job.seed) for job in found if job.purpose == "family"]
    assert family == [(GRID[-1].network, 1), (larger, 0), (larger, 1)], "the rest is trained already"


def test_without_a_candidate_of_the_grid_there_is_an_agenda_too() -> None:
    assert phases(agenda(BASE, CORNERS, [1.0, 2.0], [0], 10, 3))["search"] == 3


def test_a_triangle_at_a_larger_cost_is_a_part_of_the_family() -> None:
    found = candidates(BASE, target=4.0, most=8)
    planned = agenda(BASE, found, steps(3.0, 2.0), [0], 10, 8, at_phi=2.0, rivals=rivals_of(RIVALS))
    chosen = next(one for one in found if one.rule == "grid")
    member = [job for job in planned if job.purpose == "family"]
    assert content_hash(chosen.network) not in {content_hash(job.network) for job in member}, "the search trained it"
    assert len(member) == 2 * 4, "at phi 1 and 3 the compound one and its rivals"
    assert [job.epochs for job in planned if job.purpose == "compute"] == [20, 40, 80]


@pytest.mark.parametrize(("phi", "epochs"), [(-1, 10), (0, 10), (0.5, 14), (1, 20), (3, 80)])
def test_the_baseline_is_trained_longer_by_two_to_the_phi(phi: float, epochs: int) -> None:
    assert longer_epochs(10, phi) == epochs
