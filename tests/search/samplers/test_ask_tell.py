"""Proposals depend on the seed, the lag and what was told, and on nothing else."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import triscale.search
from tests.search.samplers.playing import CHOICES, QUICK, play, result, worth
from triscale.errors import InputError, UsageError
from triscale.search.samplers import Asked, Choices, Evolution, Make, Sampler, sampler

EACH = pytest.mark.parametrize("make", QUICK.values(), ids=QUICK)


def made(make: Make, seed: int = 3, lag: int = 4, **more: Callable[..., bool]) -> Sampler:
    return sampler(make, CHOICES, seed=seed, lag=lag, **more)


@EACH
def test_any_number_of_workers_up_to_the_lag_gets_the_same_proposals(make: Make) -> None:
    """In whatever order their trials end, failed ones among them."""
    expected = play(made(make), 36)
    for workers, order in ((2, 0), (4, 1), (4, 2)):
        assert play(made(make), 36, workers=workers, seed=order) == expected


@given(workers=st.integers(1, 6), order=st.integers(0, 999), seed=st.integers(0, 99))
@settings(max_examples=25)
def test_the_order_of_ends_does_not_matter(workers: int, order: int, seed: int) -> None:
    for make in (QUICK["evolution"], QUICK["random"]):
        expected = play(made(make, seed, 6), 40)
        assert play(made(make, seed, 6), 40, workers=workers, seed=order) == expected


@EACH
def test_a_search_that_was_killed_goes_on_with_the_same_proposals(make: Make) -> None:
    """A new sampler is asked and told again what stands in the records; what was open is proposed again."""
    whole = play(made(make), 32)
    known = {one.number: result(one) for one in whole[:21] if one.number not in {17, 19, 20}}
    again = made(make)
    asked: list[Asked] = []
    while again.ready:
        asked.append(again.ask())
        if asked[-1].number in known:
            score, broken = known[asked[-1].number]
            again.tell(asked[-1], score, costs={"layers": 1.0}, violations=broken)
    assert [one.number for one in asked] == list(range(21)), "trial 17 is not told, and trial 21 needs it"
    for one in asked:
        if one.number not in known:
            score, broken = result(one)
            again.tell(one, score, violations=broken)
    assert [*asked, *play(again, 11)] == whole


@pytest.mark.slow
def test_the_gaussian_process_proposes_the_same_with_more_workers_and_after_a_stop() -> None:
    """It takes about a second for each proposal behind its first draws, so it is not in `QUICK`."""

    def scored(turn: float, stop: int = 16) -> tuple[Sampler, list[Asked]]:
        search, asked = sampler("gp", CHOICES, seed=0, lag=2), list[Asked]()
        for _ in range(stop):
            asked.append(search.ask())
            search.tell(asked[-1], turn * worth(asked[-1]))
        return search, asked

    _, whole = scored(1)
    search, asked = scored(1, 13)
    asked += [search.ask(), search.ask()]  # two at a time, and the later one ends first
    for one in reversed(asked[13:]):
        search.tell(one, worth(one))
    assert [*asked, search.ask()] == whole
    _, turned = scored(-1)
    assert turned[:11] == whole[:11], "these are draws"
    assert turned != whole, "what follows them has learned"


@EACH
def test_a_seed_decides_and_another_one_decides_otherwise(make: Make) -> None:
    assert play(made(make, seed=1), 12) == play(made(make, seed=1), 12)
    assert play(made(make, seed=1), 12) != play(made(make, seed=2), 12)


@EACH
def test_the_lag_is_part_of_the_question(make: Make) -> None:
    """A longer one knows less; a random search knows nothing anyway."""
    same = play(made(make, lag=1), 40) == play(made(make, lag=12), 40)
    assert same == (make is QUICK["random"])


@EACH
def test_no_choices_are_proposed_twice_until_all_were(make: Make) -> None:
    small: Choices = {"a": [1, 2, 3], "b": ["x", "y"], "c": [None, 0.5]}
    search = sampler(make, small, seed=0, lag=1)
    asked = []
    for _ in range(15):
        asked.append(search.ask())
        search.tell(asked[-1], float(len(asked) % 5))
    assert len({tuple(one.items()) for one in asked[:12]}) == 12
    assert [one.repeats is None for one in asked] == [True] * 12 + [False] * 3
    for one in asked[12:]:
        assert one.repeats is not None
        assert asked[one.repeats] == one


@EACH
def test_only_what_is_feasible_is_proposed(make: Make) -> None:
    """At most one choice in 24 here."""
    asked = play(made(make, feasible=lambda one: one["layers"] == 2 and one["operator"] == "conv"), 14)
    assert {(one["layers"], one["operator"]) for one in asked} == {(2, "conv")}
    assert sum(one.repeats is None for one in asked) == 12, "so many there are"


@EACH
def test_failed_trials_alone_do_not_stop_a_search(make: Make) -> None:
    search = made(make, lag=1)
    for _ in range(30):
        search.tell(search.ask(), None)
    assert len(search.results) == 30
    assert all(one.scores is None for one in search.results)


@EACH
def test_constraints_turn_a_search_to_what_keeps_them(make: Make) -> None:
    """The score rises with what is not allowed. In a space of 3,000 points, most of which break it."""
    space: Choices = {**CHOICES, "channels": list(range(1, 21))}
    if make is QUICK["random"]:
        return
    kept = []
    for seed in range(3):
        search = sampler(make, space, seed=seed, lag=1)
        for number in range(48):
            asked = search.ask()
            channels = asked["channels"]
            assert isinstance(channels, int)
            search.tell(asked, worth(asked) + channels, violations={"channels": channels / 5 - 1})
            kept.append((number, channels <= 5))
    early, late = ([one for number, one in kept if begin <= number < begin + 24] for begin in (0, 24))
    assert sum(late) > sum(early)
    assert sum(late) / len(late) > 0.3, "a quarter of what is drawn keeps it"


@pytest.mark.parametrize("name", ["random", "evolution", "surrogate", "nsga2", "tpe"])
def test_several_scores_are_searched_at_once(name: str) -> None:
    assert play(made(QUICK[name]), 24, scores=2) == play(made(QUICK[name]), 24, scores=2, workers=3)
    assert len(play(made(QUICK[name]), 16, scores=3)) == 16


def test_the_controller_rejects_several_scores() -> None:
    with pytest.raises(UsageError, match="maximises one score"):
        play(made(QUICK["controller"]), 10, scores=2)


def test_asking_too_early_names_what_is_missing() -> None:
    search = made(QUICK["evolution"], lag=2)
    first, second = search.ask(), search.ask()
    assert not search.ready
    assert search.waits_for == (0,)
    with pytest.raises(UsageError, match="trial 2 needs the result of trial 0 first"):
        search.ask()
    search.tell(second, 1.0)
    assert search.waits_for == (0,)
    search.tell(first, 1.0)
    assert search.ask().number == 2


def test_a_result_may_come_twice_but_not_change() -> None:
    search = made(QUICK["random"])
    asked = search.ask()
    for _ in range(2):
        search.tell(asked, 0.5, costs={"macs": 3})
    with pytest.raises(UsageError, match="has another result already"):
        search.tell(asked, 0.6)
    assert len(search.results) == 1


def test_what_cannot_be_a_result_is_rejected() -> None:
    search = made(QUICK["random"])
    first, second = search.ask(), search.ask()
    for score, broken, fault in (
        (float("nan"), None, "tell None"),
        (1.0, [float("inf")], "tell None"),
        ((), None, "0 scores"),
    ):
        with pytest.raises(UsageError, match=fault):
            search.tell(first, score, violations=broken)
    search.tell(first, (1.0, 2.0))
    with pytest.raises(UsageError, match="has 1 score, the others 2"):
        search.tell(second, 1.0)
    with pytest.raises(UsageError, match="never proposed"):
        search.tell(Asked(9, first), 1.0)
    with pytest.raises(UsageError, match="other choices"):
        search.tell(Asked(1, first), 1.0)


def test_violations_may_be_named_or_not() -> None:
    found = []
    for given_ in ({"b": 1.0, "a": -1.0}, [1.0, -1.0], 1.0):
        search = made(QUICK["random"])
        search.tell(search.ask(), 1.0, violations=given_)
        found.append(search.results[0].violations)
    assert found == [{"a": -1.0, "b": 1.0}, {"0": 1.0, "1": -1.0}, {"0": 1.0}]


def test_a_space_without_a_feasible_point_ends_in_a_message() -> None:
    with pytest.raises(InputError, match="choices were tried, and none is feasible"):
        made(QUICK["evolution"], feasible=lambda _: False).ask()


@pytest.mark.parametrize(
    ("choices", "fault"),
    [({}, "at least one choice"), ({"a": []}, "'a'"), ({"a": "xy"}, "'a'"), ({"a": [1, True]}, "equal values"),
     ({"a": [[1]]}, "'a'")],
)  # fmt: skip
def test_a_space_that_is_none_is_rejected(choices: dict[str, list[int]], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        sampler("random", choices, seed=0)


def test_unknown_names_and_numbers_out_of_range_are_rejected() -> None:
    with pytest.raises(UsageError, match="evolution, random, controller, surrogate, nsga2, tpe, gp"):
        sampler("annealing", CHOICES, seed=0)
    with pytest.raises(UsageError, match="the lag must be at least 1"):
        sampler("random", CHOICES, seed=0, lag=0)
    with pytest.raises(UsageError, match="the seed must be at least 0"):
        sampler("random", CHOICES, seed=-1)


def test_the_public_entry_takes_a_space_or_a_mapping() -> None:
    class Space:
        choices = CHOICES

    for name in ("random", partial(Evolution, population=5, tournament=2)):
        one, other = (play(triscale.search.sampler(name, space, seed=5), 20) for space in (CHOICES, Space()))
        assert one == other
    asked = triscale.search.sampler("random", CHOICES, seed=5).ask()
    assert asked.number == 0
    assert dict(asked) == asked
    assert set(asked) == set(CHOICES)


def test_neither_torch_nor_optuna_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, triscale.search\n"
        "search = triscale.search.sampler('evolution', {'a': [1, 2, 3]}, seed=0)\nsearch.tell(search.ask(), 1.0)\n"
        "print(sorted({'torch', 'optuna', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
