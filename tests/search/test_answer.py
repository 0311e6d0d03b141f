"""The answer: what is said about the chosen network, of the others, and of what the noise leaves open, is true."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.report import sample, surfaces
from triscale.search.coefficients.rank import RULE
from triscale.search.studies.answer import Comparison, _standing, _verdict, answer_lines
from triscale.trials import Stored
from triscale.trials.study_records import ChoiceRecord, CoefficientsRecord, FamilyRecord, PlanRecord, Ranked
from triscale.trials.surface_records import SurfaceRecord, TransferRecord

STANDINGS: list[tuple[dict[str, Any], str]] = [
    ({"rule": RULE, "chosen": "a", "tied": ["a"]}, "the best of 5 networks of twice the cost"),
    ({"rule": RULE, "chosen": "a", "tied": ["a", "b"]},
     "the best of 5 networks of twice the cost, tied with 1 other"),
    ({"rule": RULE, "chosen": "a", "tied": ["b", "a", "c"]},
     "the best of 5 networks of twice the cost, tied with 2 others"),
    ({"chosen": "a", "tied": ["b", "a", "c"]}, "the cheapest of 3 tied among 5 networks of twice the cost"),
    ({"chosen": "a", "tied": ["a"]}, "the best of 5 networks of twice the cost"),
]  # fmt: skip


@pytest.mark.parametrize(("said_of", "said"), STANDINGS)
def test_the_standing_of_the_chosen_is_told_by_the_rule_of_its_record(said_of: dict[str, Any], said: str) -> None:
    choice = ChoiceRecord(
        ranking=(), coefficients=CoefficientsRecord(alpha=1, beta=1, gamma=1), noise_sd=0.1, noise_freedom=1,
        half_agrees=True, **{**said_of, "tied": tuple(said_of["tied"])},
    )  # fmt: skip
    assert _standing(choice, 5) == said


def first_line(folder: Path, study: sample.Study) -> str:
    stored: Stored = sample.stored(folder, study)
    return answer_lines(stored, study.one(FamilyRecord).members[1], "run")[0]


def on_surface(**changed: Any) -> sample.Study:
    """The synthetic study, whose choice rests on a surface, with other fields in that."""
    study = surfaces.studied()
    return study.with_(ChoiceRecord, surface=msgspec.structs.replace(the_surface(study), **changed))


def the_surface(study: sample.Study) -> SurfaceRecord:
    found = study.one(ChoiceRecord).surface
    assert found is not None
    return found


def region(inside: set[int]) -> sample.Study:
    """The places of these numbers, best first, are the region."""
    places = the_surface(surfaces.studied()).places
    return on_surface(
        places=tuple(msgspec.structs.replace(one, in_region=at in inside) for at, one in enumerate(places))
    )


@pytest.mark.parametrize(("inside", "said"), [
    ({0, 1, 4}, "; the region of the best holds 3 of 10 networks;"),
    ({0}, "; with 95% none of the other 9 networks is the best;"),
    ({2}, "; the region of the best holds 1 of 10 networks, not this one;"),
])  # fmt: skip
def test_the_region_is_told_by_size_and_by_whether_the_chosen_network_is_in_it(
    tmp_path: Path, inside: set[int], said: str
) -> None:
    assert said in first_line(tmp_path, region(inside))


def test_where_the_paper_s_point_is_chosen_the_answer_says_so(tmp_path: Path) -> None:
    study = surfaces.studied()
    assert first_line(tmp_path / "a", study).endswith("; it is the paper's point.")
    chosen = study.one(ChoiceRecord).chosen
    others = tuple(
        msgspec.structs.replace(one, lattice=None if one.id == chosen else "paper")
        for one in study.one(PlanRecord).candidates
    )
    found = first_line(tmp_path / "b", study.with_(PlanRecord, candidates=others))
    assert found.endswith("; the paper's point is within half a point of the best with 64.0%.")


def test_an_answer_of_networks_that_only_guess_begins_with_that(tmp_path: Path) -> None:
    found = first_line(tmp_path, surfaces.studied().with_(ChoiceRecord, guessing=0.1))
    assert found.startswith("No network is better than guessing (10.0%), so this says nothing: alpha ")


def test_what_a_transfer_loses_is_told_of_the_surface(tmp_path: Path) -> None:
    lost = TransferRecord(id="other", loss=0.0123, interval=(-0.0001, 0.03))
    found = first_line(tmp_path / "a", on_surface(transfer=lost))
    assert found.endswith("; the coefficients from another cost lose 1.2 points here (0.0 to 3.0).")
    same = TransferRecord(id=the_surface(surfaces.studied()).chosen, loss=0.0, interval=(0.0, 0.0))
    assert first_line(tmp_path / "b", on_surface(transfer=same)).endswith("from another cost give this network.")


def by_means(rows: int, transferred: int | None, chosen: int = 0) -> sample.Study:
    """A study that compared the means of some of its candidates; the transferred one and the chosen by their rank."""
    study = surfaces.studied()
    ranking: tuple[Ranked, ...] = study.one(ChoiceRecord).ranking
    changed = study.with_(
        ChoiceRecord, surface=None, ranking=ranking[:rows], chosen=ranking[chosen].id, tied=(), rule=RULE
    )
    return changed.with_(PlanRecord, transferred=None if transferred is None else ranking[transferred].id)


def test_where_means_were_compared_networks_without_a_training_are_not_counted(tmp_path: Path) -> None:
    found = first_line(tmp_path, by_means(4, None))
    assert ": width and resolution, the best of 4 networks of twice the cost, validation " in found


def test_what_a_transfer_loses_by_means_is_the_paired_difference_if_there_is_one(tmp_path: Path) -> None:
    row = surfaces.studied().one(ChoiceRecord).ranking[2]
    low, high = (f"{100 * end:.1f}" for end in row.interval)
    lost = f"; the coefficients from another cost lose {100 * row.difference:.1f} points here ({low} to {high})."
    assert first_line(tmp_path / "trained", by_means(4, 2)).endswith(lost)
    unknown = "; what the coefficients from another cost lose here is not known."
    assert first_line(tmp_path / "not trained", by_means(4, 6)).endswith(unknown)
    assert first_line(tmp_path / "not from the best", by_means(4, 2, chosen=1)).endswith(unknown)
    assert first_line(tmp_path / "same", by_means(4, 1, chosen=1)).endswith("from another cost give this network.")


def test_a_difference_of_nothing_has_no_sign_and_one_seed_is_told() -> None:
    compared = [Comparison(1.0, "depth", -0.00001, 0.025, 1.0)]
    said = "Compound scaling against its best rival at the nearest counted cost: phi 1: ties with depth only"
    assert _verdict(compared, None) == f"{said} (0.0 +- 2.5 points)."
    alone = " With one seed the margins are the sampling error of the test alone."
    assert _verdict(compared, None, one_seed=True) == f"{said} (0.0 +- 2.5 points).{alone}"
