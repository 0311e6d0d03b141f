"""The answer of a study as one document: the shape that scripts rely on, from the records alone."""

from pathlib import Path

import msgspec
import pytest

from tests.report import sample, surfaces
from triscale.errors import InputError
from triscale.report import StudyDocument, study_document
from triscale.trials.study_records import ChoiceRecord, FamilyRecord, PlanRecord


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> StudyDocument:
    return study_document(sample.stored(tmp_path_factory.mktemp("run"), surfaces.studied()))


def test_the_document_has_the_shape_that_is_promised(found: StudyDocument) -> None:
    written = msgspec.to_builtins(found)
    assert written.keys() == {
        "answer", "coefficients", "chosen", "region", "within_half_a_point", "smallest_difference", "transfer",
            "candidates",
        "rivals",
    }  # fmt: skip
    assert written["coefficients"].keys() == {"alpha", "beta", "gamma"}
    assert written["chosen"].keys() == {"id", "network", "expected", "interval"}
    assert written["within_half_a_point"].keys() == {"depth", "width", "resolution", "paper"}
    assert written["candidates"][0].keys() == {"id", "network", "shares", "ratio", "n", "mean", "expected"}
    assert all(one.keys() == {"depth", "width", "resolution"} for one in written["region"])


def test_shares_sum_to_one_and_accuracies_are_fractions(found: StudyDocument) -> None:
    assert found.region
    every = [*found.region, *(one.shares for one in found.candidates if one.shares)]
    assert [one.depth + one.width + one.resolution for one in every] == pytest.approx([1.0] * len(every))
    seen = [value for one in found.candidates for value in (one.mean, one.expected) if value is not None]
    assert seen
    assert all(0 < value < 1 for value in seen)


def test_it_says_what_the_records_say(found: StudyDocument) -> None:
    study = surfaces.studied()
    choice, plan, family = study.one(ChoiceRecord), study.one(PlanRecord), study.one(FamilyRecord)
    assert choice.surface is not None
    places = {one.id: one for one in choice.surface.places}
    assert found.answer == sample.answer()[0]
    assert (found.chosen.id, found.chosen.expected) == (choice.chosen, places[choice.chosen].expected)
    assert {one.id: (one.expected, one.ratio) for one in found.candidates} == {
        one.id: (places[one.id].expected, one.ratio) for one in plan.candidates
    }
    assert [one.expected for one in found.candidates] == sorted((one.expected for one in places.values()), reverse=True)
    assert [one.n for one in found.candidates] == [2] * len(plan.candidates)
    assert {(one.rule, one.phi) for one in found.rivals} == {
        (one.rule, one.phi) for one in family.members if one.rule in ("depth", "width", "resolution")
    }
    assert all(one.test is not None for one in found.rivals)


def test_a_study_that_compared_means_expects_nothing(tmp_path: Path) -> None:
    found = study_document(sample.stored(tmp_path))
    assert (found.chosen.expected, found.region, found.within_half_a_point, found.smallest_difference) == (None,) * 4
    means = [one.mean for one in found.candidates]
    assert means == sorted(means, reverse=True)  # type: ignore[type-var]
    assert all(one.shares is None for one in found.candidates)


def test_a_network_that_is_expected_to_get_nothing_right_is_last(tmp_path: Path) -> None:
    """0 is an expectation too, and its mean does not stand in for it."""
    study = surfaces.studied()
    surface = study.one(ChoiceRecord).surface
    assert surface is not None
    nothing = msgspec.structs.replace(surface.places[0], expected=0.0, mean=0.9)
    changed = msgspec.structs.replace(surface, places=(nothing, *surface.places[1:]))
    found = study_document(sample.stored(tmp_path, study.with_(ChoiceRecord, surface=changed)))
    assert found.candidates[-1].id == nothing.id


def test_an_unfinished_study_has_no_document(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no answer yet"):
        study_document(sample.stored(tmp_path, stop=10))
