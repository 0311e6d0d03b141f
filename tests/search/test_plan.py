"""The plan: its predicted time is the sum of its trainings, and `--time` sizes it."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triscale.costs import ANYWHERE, count
from triscale.errors import InputError, UsageError
from triscale.families import network
from triscale.foreign import count_any
from triscale.search.coefficients.pool import pool
from triscale.search.planning.plan import StudyPlan, make_plan
from triscale.search.studies.question import Question
from triscale.spec import AnyNetwork, content_hash
from triscale.training import Recipe
from triscale.trials.pilot_records import CheckpointRecord, PilotRecord

BASE = network("finenet_24")
PICTURES = {"train": 20_000, "validation": 3_000}
SECONDS_PER_MAC = 1e-11
SHORT = Question(phi=1, candidates=6, epochs=10)
"""A question that is planned quickly."""


@cache
def macs(key: str, net: AnyNetwork) -> int:  # noqa: ARG001  the key makes equal networks one entry
    return count_any(net).macs


def speed(net: AnyNetwork) -> float:
    """A machine whose time is its multiply-adds."""
    return SECONDS_PER_MAC * macs(content_hash(net), net)


def plan(
    question: Question, pictures: dict[str, int] = PICTURES, workers: int = 1, pilot: PilotRecord | None = None
) -> StudyPlan:
    return make_plan(question, BASE, pictures, speed, workers, Recipe(), ANYWHERE, pilot=pilot)


def piloted(steps: int, *, leaves: int | None = 16, settles: bool = True, seconds: float = 3.0) -> PilotRecord:
    """A pilot that settles after so many steps, or tried so many."""
    last = (CheckpointRecord(step=steps, accuracy=0.5),)
    found = steps if settles else None
    return PilotRecord(batch=64, images=100, checkpoints=last, leaves=leaves, settles=found, seconds=seconds)


def test_the_prediction_is_the_sum_of_all_trainings_worked_out_by_hand() -> None:
    """Phi = 1, two seeds: baseline twice and once twice as long, the candidates, then seed 2 of member and rivals."""
    found = plan(Question(phi=1, seeds=2, epochs=10, candidates=8, trainings=8))
    base, every = speed(BASE), [speed(one.network) for one in found.candidates]
    corners = sum(speed(one.network) for one in found.candidates if one.rule != "grid")
    first = next(speed(one.network) for one in found.candidates if one.rule == "grid")
    rest = found.predicted_seconds / (10 * (20_000 + 3_000 / 3)) - ((2 + 2) * base + sum(every) + corners + first)
    assert found.trainings == 2 + 1 + 8 + 4 + 2
    assert rest == pytest.approx(2 * 2 * base, rel=0.05), "the paper's rule in two seeds costs about twice the baseline"


@pytest.mark.parametrize(
    ("change", "factor"),
    [({"epochs": 20}, 2), ({"epochs": 5}, 0.5), ({"train_size": 9_500}, 0.5), ({"train_size": 4_250}, 0.25)],
)
def test_the_prediction_grows_with_epochs_and_pictures(change: dict[str, int], factor: float) -> None:
    whole = plan(SHORT).predicted_seconds
    assert plan(replace(SHORT, **change)).predicted_seconds == pytest.approx(factor * whole)  # type: ignore[arg-type]


def test_more_workers_take_their_share_and_more_seeds_more_time() -> None:
    times = [plan(replace(SHORT, seeds=n, trainings=6)).predicted_seconds for n in (1, 2, 3)]
    assert plan(replace(SHORT, trainings=6), workers=2).predicted_seconds == pytest.approx(times[1] / 2)
    assert times[2] - times[1] == pytest.approx(times[1] - times[0])
    assert times[0] < times[1]


def test_without_a_time_a_study_is_10_epochs_of_all_pictures() -> None:
    found = plan(Question())
    assert (found.recipe.epochs, found.train_size) == (10, 20_000)
    assert found.phis == [1.0, 2.0]
    assert found.seeds == [0, 1]
    assert replace(found.recipe, epochs=10) == Recipe()


@settings(max_examples=10, deadline=None)
@given(st.floats(10, 5_000), st.integers(1, 2), st.sampled_from([None, 8]))
def test_a_sized_study_fits_its_time_and_never_has_fewer_than_the_least(
    time: float, workers: int, epochs: int | None
) -> None:
    question = replace(SHORT, time=time, epochs=epochs)
    try:
        found = plan(question, workers=workers)
    except InputError:
        assert time < plan(replace(SHORT, epochs=epochs or 5, train_size=500), workers=workers).predicted_seconds * 1.5
        return
    assert found.predicted_seconds <= time * 1.01
    assert found.recipe.epochs == epochs or (epochs is None and 5 <= found.recipe.epochs <= 30)
    assert 500 <= found.train_size <= 20_000
    assert len(found.candidates) >= 5


def test_more_time_gives_first_pictures_then_epochs() -> None:
    sized = [plan(replace(SHORT, epochs=None, time=t)) for t in (20, 40, 160, 640, 5120)]
    lengths = [one.recipe.epochs * one.train_size for one in sized]
    assert lengths == sorted(lengths)
    assert sized[-1].recipe.epochs == 30
    assert all(one.recipe.epochs == 5 for one in sized if one.train_size < 20_000)


@pytest.mark.parametrize(("question", "pictures"), [
    (Question(phi=1, time=1), PICTURES),
    (Question(phi=1, time=1, epochs=20), PICTURES),
    (Question(phi=1, time=1, train_size=3_000), PICTURES),
    (Question(phi=1, time=1), {"train": 20_000, "validation": 60_000}),
])  # fmt: skip
def test_the_time_that_a_too_short_study_asks_for_is_enough(question: Question, pictures: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"^1 s are too short for this study\.\nGive --time ") as caught:
        plan(question, pictures)
    minutes = int(str(caught.value).split("--time ")[1].split("m")[0])
    found = plan(replace(question, time=60.0 * minutes), pictures)
    assert found.predicted_seconds <= 60 * minutes * 1.5


@settings(max_examples=20, deadline=None)
@given(st.floats(10, 2_000), st.sampled_from([16, 128, 1024]), st.booleans(), st.sampled_from([None, 8]))
def test_every_training_has_what_the_baseline_needs_or_the_message_says_what_time_it_takes(
    time: float, steps: int, settles: bool, epochs: int | None
) -> None:
    question, pilot = Question(phi=1, time=time, epochs=epochs), piloted(steps, settles=settles)
    try:
        found = plan(question, pilot=pilot)
    except InputError as error:
        minutes = int(str(error).split("--time ")[1].split("m")[0])
        found = plan(replace(question, time=60.0 * minutes), pilot=pilot)
    if settles:
        assert found.train_size * found.recipe.epochs >= min(64 * steps, (epochs or 1_000) * 20_000)


def test_a_time_that_gets_shorter_costs_trainings_of_candidates_then_seeds_then_the_question_itself() -> None:
    """What is given up, in this order; then the message."""
    found = [plan(Question(phi=1, time=time), pilot=piloted(512)) for time in (300, 30, 20, 15)]
    points = sum(one.lattice is not None for one in found[0].candidates)
    shapes = [(one.search, len(one.seeds), len(one.candidates)) for one in found]
    assert shapes[0] == (2 * points, 2, 24)
    assert points <= shapes[1][0] < 2 * points
    assert shapes[1][1:] == (2, 24)
    assert shapes[2] == (points, 1, 24)
    assert shapes[3] == (3, 1, 3), "the corners"
    with pytest.raises(InputError, match=r"^10 s are too short for this study \(the baseline needs 32,768 images to s"):
        plan(Question(phi=1, time=10), pilot=piloted(512))


def test_a_plan_says_what_the_baseline_needs_and_what_the_validation_cannot_show() -> None:
    asked = replace(SHORT, epochs=10)
    assert plan(asked).remarks(3_000) == []
    assert plan(asked).remarks(200) == [
        "200 validation images cannot distinguish 5 points in one training each; 769 can"
    ]
    said = [plan(asked, pilot=one).remarks(3_000)[0] for one in (
        piloted(64), piloted(64, settles=False), piloted(64, leaves=None, settles=False)
    )]  # fmt: skip
    leaves = "the baseline leaves chance within 16 steps and"
    assert said[0] == f"{leaves} settles within 64; each training has 3,125"
    assert said[1] == f"{leaves} has not settled after 64; each training has 3,125"
    assert said[2].startswith(
        "the baseline is no better than guessing after 64 steps; each training has 3,125: give more"
    )


def test_enough_validation_images_tell_five_points_apart() -> None:
    """Two independent means of n images at an accuracy of a half differ by 1.96 standard errors where n is 769."""
    assert 1.96 * (2 * 0.25 / 769) ** 0.5 <= 0.05 < 1.96 * (2 * 0.25 / 767) ** 0.5


@pytest.mark.parametrize("settles", [True, False])
def test_the_time_that_it_asks_for_is_enough_on_a_slow_machine_too_and_not_far_above(settles: bool) -> None:
    """Half an hour and more, so that whole minutes hide nothing."""
    asked = Question(phi=1, time=60)

    def on_a_slow_machine(time: float) -> StudyPlan:
        question, pilot = replace(asked, time=time), piloted(512, settles=settles)
        return make_plan(
            question, BASE, PICTURES, lambda net: 1_000 * speed(net), 1, Recipe(), ANYWHERE, pilot=pilot
        )  # fmt: skip

    with pytest.raises(InputError) as caught:
        on_a_slow_machine(60)
    minutes = int(str(caught.value).split("--time ")[1].split("m")[0])
    assert minutes >= 30
    assert on_a_slow_machine(60 * minutes).predicted_seconds <= 60 * minutes * 1.5
    with pytest.raises(InputError):
        on_a_slow_machine(60 * minutes / 2)


def test_few_pictures_that_were_asked_for_are_not_too_few() -> None:
    assert plan(replace(SHORT, time=600, train_size=200)).train_size == 200
    assert plan(replace(SHORT, epochs=None, time=600), {"train": 300, "validation": 30}).train_size == 300


def test_a_study_needs_no_more_pictures_than_there_are() -> None:
    assert plan(replace(SHORT, train_size=50_000)).train_size == 20_000


def test_the_record_of_a_plan_holds_what_decides_it() -> None:
    question = Question(phi=2.5, epochs=7, seeds=3, seed=5)
    record = plan(question).record(question, (24, 24))
    assert (record.phi, record.phis, record.epochs) == (2.5, (1.0, 2.0, 2.5), 7)
    assert (record.seeds, record.recipe.epochs) == ((5, 6, 7), 7)
    assert len(record.candidates) == len(plan(question).candidates)


def test_a_baseline_that_rounds_coarsely_is_said_to_and_how_many_networks_it_has() -> None:
    asked = Question(phi=1, epochs=10, candidates=24)
    coarse = make_plan(asked, network("smallnet_24"), PICTURES, speed, 1, Recipe(), ANYWHERE)
    assert coarse.distinct == len(pool(network("smallnet_24"), 2.0, 0.1))
    assert [text for text in coarse.remarks(3_000) if "rounds coarsely: none of 39 distinct networks" in text]
    fine = plan(asked)
    assert fine.remarks(3_000) == []
    assert (fine.distinct or 0) > 100
    assert plan(SHORT).remarks(3_000) == [], "six candidates cannot stand for eight points"


def test_coefficients_of_another_cost_have_their_network_among_the_candidates() -> None:
    question = replace(SHORT, phi=2, at_phi=2, transfer="1, 1.20, 1.15")
    found = plan(question)
    moved = next(one for one in found.candidates if one.id == found.transferred)
    assert moved.lattice == "transferred"
    assert moved.factors.depth < moved.factors.resolution < moved.factors.width
    assert found.record(question, (24, 24)).transferred == moved.id
    assert "--transfer 1,1.2,1.15" in question.command()
    assert len({one.hash("data", "net") for one in (question, replace(question, transfer=None))}) == 2


def test_coefficients_that_are_no_three_numbers_are_rejected() -> None:
    with pytest.raises(UsageError, match="coefficients"):
        Question(at_phi=2, transfer="1.2,1.1")
    for nothing in ("1,1,1", "0.9,1.2,1.3"):
        with pytest.raises(UsageError, match=f"^the coefficients to transfer are {nothing}; give three numbers of at"):
            Question(at_phi=2, transfer=nothing)


def test_a_budget_gives_the_phi() -> None:
    found = plan(Question(budget={"macs": 5 * count(BASE).macs}))
    assert found.phis[:2] == [1.0, 2.0]
    assert 2 < found.phis[-1] < 3


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("candidates", 3), ("seeds", 0), ("epochs", 1), ("train_size", 9), ("batch", 1),
        ("tolerance", 0.0), ("tolerance", 1.0), ("tolerance", float("nan")),
        ("phi", 0.9), ("phi", 11.0), ("phi", float("nan")),
        ("time", 0.0), ("time", -1.0), ("time", float("nan")), ("time", float("inf")),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_meant_names_the_field(field: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"^{field} (of a study )?is {value}"):
        Question(**{field: value})  # type: ignore[arg-type]


def test_the_hash_of_a_question_is_that_of_all_that_decides_the_answer() -> None:
    asked = Question()
    first = asked.hash("data", "net")
    assert (len(first), first) == (12, Question().hash("data", "net"))
    others = [replace(asked, seeds=3), replace(asked, tolerance=0.2), replace(asked, time=60.0), replace(asked, seed=1)]
    hashes = {asked.hash("other", "net"), asked.hash("data", "other"), *(one.hash("data", "net") for one in others)}
    assert first not in hashes
    assert len(hashes) == 6
    assert replace(asked, data="here", network="x").hash("data", "net") == first, "content counts, not where it lies"
