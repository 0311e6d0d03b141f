"""What a search asks for next, and what it chooses in the end, from stores of trials whose accuracies are given."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.report import surfaces
from triscale.errors import InputError
from triscale.search.coefficients.rank import RULE
from triscale.search.decisions.make_choice import SURFACE, make_choice
from triscale.search.decisions.rounds import next_asked
from triscale.spec import content_hash
from triscale.trials import VALIDATION, Trial, TrialStore
from triscale.trials.study_records import CandidateRecord, ChoiceRecord, PlanRecord

IMAGES = 400
STUDY = surfaces.studied()
LATTICE = 6
"""Of the ten candidates, those that stand for a point of the lattice."""

Pairs = list[tuple[str, int]]
Worth = Callable[[CandidateRecord, int], float | None]


def the_plan(**changed: object) -> PlanRecord:
    plan = STUDY.one(PlanRecord)
    candidates = tuple(
        msgspec.structs.replace(
            one, lattice=f"point {at}" if at >= len(plan.candidates) - LATTICE else None, within=True
        )
        for at, one in enumerate(plan.candidates)
    )
    return msgspec.structs.replace(plan, **{"candidates": candidates, "search": 14, "round": 3, **changed})


def skill(one: CandidateRecord, seed: int) -> float:
    """Best where most goes to resolution, with two points from seed to seed."""
    assert one.shares is not None
    return 0.5 + 0.1 * one.shares.resolution + 0.02 * seed


def trained(plan: PlanRecord, pairs: Iterable[tuple[str, int]], worth: Worth) -> list[Trial]:
    """Trials of these trainings; those that are worth nothing failed."""
    one_of_each = {content_hash(one.network): one for one in STUDY.trials() if one.epochs == plan.epochs}
    records = {one.id: one for one in plan.candidates}
    found = []
    for id_, seed in pairs:
        trial, accuracy = one_of_each[id_], worth(records[id_], seed)
        ended = replace(trial, job=replace(trial.job, seed=seed))
        if accuracy is None:
            found.append(replace(ended, state="failed", reason="out of memory", metrics={}))
        else:
            found.append(replace(ended, metrics={**trial.metrics, VALIDATION: accuracy}))
    return found


def fails(*_: object) -> None:
    """What every training is worth where none ends."""


def searched(
    folder: Path, plan: PlanRecord, worth: Worth = skill, most: int = 20
) -> tuple[list[tuple[str, Pairs]], TrialStore]:
    """The rounds of a whole search, and the store that it leaves."""
    found: list[tuple[str, Pairs]] = []
    with TrialStore(folder) as store:
        store.add(plan, STUDY.networks.values())
        while (new := next_asked(store, plan, IMAGES)) is not None and len(found) < most:
            pairs = [(one.id, one.seed) for one in new.trainings]
            found.append((new.why, pairs))
            store.add(new)
            store.put(*trained(plan, pairs, worth))
    return found, store


def test_the_lattice_comes_first_then_rounds_of_the_size_asked_for_until_the_trainings_are_spent(
    tmp_path: Path,
) -> None:
    plan = the_plan(search=12)
    rounds, _ = searched(tmp_path, plan, lambda one, seed: skill(one, seed) + 0.03 * (hash_of(one) % 3))
    lattice = [(one.id, plan.seeds[0]) for one in plan.candidates if one.lattice is not None]
    assert rounds[0] == ("lattice", lattice)
    assert [(why, len(pairs)) for why, pairs in rounds[1:]] == [("gain", 3), ("gain", 3)]
    every = [pair for _, pairs in rounds for pair in pairs]
    assert len(every) == len(set(every)) == plan.search


def hash_of(one: CandidateRecord) -> int:
    return int(one.id[:8], 16)


def test_a_round_depends_on_the_trials_alone_and_not_on_those_that_came_after_it(tmp_path: Path) -> None:
    rounds = [searched(tmp_path / name, the_plan())[0] for name in "ab"]
    assert rounds[0] == rounds[1]
    longer = searched(tmp_path / "c", the_plan(search=9))[0]
    assert longer[:2] == rounds[0][:2]


def test_trainings_that_failed_are_not_asked_for_again(tmp_path: Path) -> None:
    plan = the_plan()
    rounds, _ = searched(tmp_path, plan, fails)
    every = [pair for _, pairs in rounds for pair in pairs]
    assert len(every) == len(set(every)) == plan.search
    assert {why for why, _ in rounds[1:]} == {"means"}


def test_nor_where_the_others_make_a_surface(tmp_path: Path) -> None:
    """The promising one never ends."""
    plan = the_plan(search=16)
    best = max(plan.candidates, key=lambda one: skill(one, 0))
    rounds, _ = searched(tmp_path, plan, lambda one, seed: None if one.id == best.id else skill(one, seed))
    every = [pair for _, pairs in rounds for pair in pairs]
    assert rounds[-1][0] == "gain"
    assert len(every) == len(set(every))
    assert (best.id, plan.seeds[0]) in every


def test_with_a_training_for_every_pair_all_are_asked_for_at_once(tmp_path: Path) -> None:
    plan = the_plan(search=20)
    rounds, _ = searched(tmp_path, plan)
    assert [(why, len(pairs)) for why, pairs in rounds] == [("all", 20)]


def test_a_search_ends_early_where_further_trainings_could_hardly_change_the_answer(tmp_path: Path) -> None:
    """More resolution is better by far, in both seeds."""
    rounds, _ = searched(tmp_path, the_plan(search=18), lambda one, seed: 0.2 + 3 * (skill(one, seed) - 0.5))
    assert sum(len(pairs) for _, pairs in rounds) < 18


def test_of_too_few_networks_the_leaders_get_further_seeds_after_all_have_had_one(tmp_path: Path) -> None:
    plan = the_plan()
    few = msgspec.structs.replace(plan, candidates=plan.candidates[-5:], search=8)
    rounds, _ = searched(tmp_path, few)
    assert [why for why, _ in rounds] == ["lattice", "means"]
    best = sorted(few.candidates, key=lambda one: -skill(one, 0))[:3]
    assert {id_ for id_, _ in rounds[1][1]} == {one.id for one in best}


def choice_of(store: TrialStore, plan: PlanRecord, chance: float = 0.1) -> ChoiceRecord:
    return make_choice(store, plan, IMAGES, chance, at_phi=1.0)


def test_the_choice_is_the_place_that_the_surface_expects_most_of(tmp_path: Path) -> None:
    plan = the_plan()
    _, store = searched(tmp_path, plan)
    found = choice_of(store, plan)
    assert found.rule == SURFACE
    assert found.surface is not None
    assert found.chosen == found.surface.places[0].id
    chosen = next(one for one in plan.candidates if one.id == found.chosen)
    assert msgspec.structs.astuple(found.coefficients) == msgspec.structs.astuple(chosen.factors)
    assert set(found.tied) == {one.id for one in found.surface.places if one.in_region}
    assert (found.guessing, found.warning is None or "guessing" not in found.warning) == (None, True)


def test_a_choice_among_networks_that_guess_says_so(tmp_path: Path) -> None:
    plan = the_plan()
    _, store = searched(tmp_path, plan, lambda one, _: 0.5 + 0.001 * (hash_of(one) % 5))
    found = choice_of(store, plan, chance=0.5)
    assert found.guessing == 0.5
    assert "No network is better than guessing (50.0%)" in (found.warning or "")


def test_a_choice_of_too_few_networks_compares_means_and_says_why(tmp_path: Path) -> None:
    plan = the_plan()
    few = msgspec.structs.replace(plan, candidates=plan.candidates[-5:], search=8)
    _, store = searched(tmp_path, few)
    found = choice_of(store, few)
    assert (found.rule, found.surface) == (RULE, None)
    assert (found.warning or "").startswith("Means were compared: 5 networks are trained; a surface over")


def test_a_choice_where_every_training_failed_names_the_last_reason(tmp_path: Path) -> None:
    plan = the_plan()
    _, store = searched(tmp_path, plan, fails)
    with pytest.raises(InputError, match=r"^every training of a candidate failed\. The last reason: out of memory$"):
        choice_of(store, plan)
