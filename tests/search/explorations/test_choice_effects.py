"""What a choice is worth: the closed form of a balanced design, least squares by hand, and intervals that hold."""

from itertools import product
from statistics import mean

import pytest
from numpy.random import Generator, default_rng

from triscale.search.explorations.choice_effects import choice_effects
from triscale.trials.searches.worth_records import EffectsRecord, Value

CHOICES: dict[str, tuple[Value, ...]] = {
    "stage1.kernel": (3, 5), "stage1.operator": ("conv", "mbconv4", "mbconv6"), "stage2.skip": (True, False),
}  # fmt: skip
TRUE = {
    "stage1.kernel": (-0.02, 0.02), "stage1.operator": (-0.03, 0.0, 0.03), "stage2.skip": (0.01, -0.01),
}  # fmt: skip
ALL = [dict(zip(CHOICES, chosen, strict=True)) for chosen in product(*CHOICES.values())]


def worth(row: dict[str, Value]) -> float:
    return 0.5 + sum(TRUE[name][CHOICES[name].index(value)] for name, value in row.items())


def effects(found: EffectsRecord | None) -> dict[tuple[str, Value], tuple[float | None, tuple[float, float] | None]]:
    assert found is not None
    return {(one.choice, one.value): (one.effect, one.interval) for one in found.effects}


def test_in_a_balanced_design_an_effect_is_the_mean_of_its_trials_minus_the_mean_of_all() -> None:
    rows, dice = [*ALL, *ALL], default_rng(0)
    scores = [worth(row) + dice.normal(0, 0.01) for row in rows]
    found = choice_effects(rows, scores, CHOICES)
    assert found is not None
    assert (found.method, found.n, found.freedom) == ("least squares", 24, 24 - 5)
    for (name, value), (effect, interval) in effects(found).items():
        group = [score for row, score in zip(rows, scores, strict=True) if row[name] == value]
        assert effect == pytest.approx(mean(group) - mean(scores))
        # The textbook's interval: s^2 (1/n_group - 1/n) with the t of 19 degrees of freedom, 2.0930.
        margin = 2.0930 * found.noise * (1 / len(group) - 1 / 24) ** 0.5
        assert interval == pytest.approx((effect - margin, effect + margin), abs=1e-6)


def test_without_noise_the_effects_are_the_true_ones_and_explain_all() -> None:
    rows = [*ALL[:9], *ALL[4:], *ALL[:3]]
    found = choice_effects(rows, [worth(row) for row in rows], CHOICES)
    assert found is not None
    assert found.explained == pytest.approx(1)
    for (name, value), (effect, _) in effects(found).items():
        assert effect == pytest.approx(TRUE[name][CHOICES[name].index(value)], abs=1e-9)


def drawn(dice: Generator, n: int) -> list[dict[str, Value]]:
    return [{name: values[int(dice.integers(len(values)))] for name, values in CHOICES.items()} for _ in range(n)]


@pytest.mark.parametrize(("n", "method"), [(40, "least squares"), (12, "ridge")])
def test_95_percent_intervals_hold_the_true_effect_95_times_in_100(n: int, method: str) -> None:
    """True effects are drawn, as a ridge regression supposes; least squares need not suppose it."""
    dice, held = default_rng(1), []
    for _ in range(150):
        rows = drawn(dice, n)
        true = {name: dice.normal(0, 0.02, len(values)) for name, values in CHOICES.items()}
        scores = [
            sum(true[name][CHOICES[name].index(value)] for name, value in row.items()) + dice.normal(0, 0.02)
            for row in rows
        ]
        found = choice_effects(rows, scores, CHOICES)
        assert found is not None
        assert found.method == method
        for name, values in CHOICES.items():
            own = [one for one in found.effects if one.choice == name]
            if len(own) == len(values):  # else the mean is over fewer values
                for one, effect in zip(own, true[name] - true[name].mean(), strict=True):
                    assert one.interval is not None
                    held.append(float(one.interval[0] <= effect <= one.interval[1]))
    assert len(held) > 800
    assert 0.925 < mean(held) < 0.98


def test_what_trials_cannot_tell_apart_has_no_effect() -> None:
    """Two choices that always went together are one to any additive model."""
    rows: list[dict[str, Value]] = [{"a": i % 2, "b": "xy"[i % 2], "c": i % 3} for i in range(30)]
    found = effects(
        choice_effects(rows, [float(i % 2) for i in range(30)], {"a": (0, 1), "b": ("x", "y"), "c": (0, 1, 2)})
    )
    assert found["a", 0] == found["b", "x"] == (None, None)
    assert found["c", 1][0] == pytest.approx(0, abs=1e-9)


def test_a_value_that_was_not_tried_is_left_out_and_one_is_not_true() -> None:
    rows: list[dict[str, Value]] = [{"a": (True, False)[i % 2], "b": i % 3, "c": 7} for i in range(30)]
    found = effects(
        choice_effects(rows, [float(i % 2) for i in range(30)], {"a": (1, True, False), "b": (0, 1, 2, 3), "c": (7, 8)})
    )
    assert [*found] == [("a", True), ("a", False), ("b", 0), ("b", 1), ("b", 2)]


def test_few_trials_have_no_effects_and_equal_scores_have_none_but_zero() -> None:
    assert choice_effects(ALL[:7], [0.5] * 7, CHOICES) is None
    assert choice_effects([ALL[0]] * 9, [0.5] * 9, CHOICES) is None
    for rows in (ALL[:8], [*ALL, *ALL]):
        found = effects(choice_effects(rows, [0.5] * len(rows), CHOICES))
        assert all(effect == pytest.approx(0, abs=1e-9) for effect, _ in found.values())


def test_a_ridge_draws_effects_towards_0_and_never_beyond_least_squares() -> None:
    dice = default_rng(3)
    rows = drawn(dice, 12)
    scores = [worth(row) + dice.normal(0, 0.03) for row in rows]
    found = choice_effects(rows, scores, CHOICES)
    assert found is not None
    assert found.method == "ridge"
    assert 0 <= found.explained <= 1
    assert max(abs(one.effect or 0) for one in found.effects) < max(scores) - min(scores)
