"""A limit on latency as measured, on staircases whose truth is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.errors import InputError
from triscale.latency.within_limit import MOST_TRIES, Try, largest_within


class Staircase:
    """Networks 0, 1, .. whose predicted latency is a little off the measured one."""

    def __init__(self, predicted: list[float], measured: list[float]) -> None:
        self.predicted, self.measured, self.asked = predicted, measured, 0

    def solve(self, limit: float) -> int:
        """The largest one that is predicted to keep the limit."""
        within = [one for one, value in enumerate(self.predicted) if value <= limit]
        if not within:
            raise InputError("the budget cannot be reached")
        return within[-1]

    def measure(self, one: int) -> Try[int]:
        """As a clock would."""
        self.asked += 1
        following = self.predicted[one + 1] if one + 1 < len(self.predicted) else float("inf")
        return Try(found=one, key=str(one), predicted=self.predicted[one], measured=self.measured[one], notch=following)

    def largest(self, limit: float) -> int:
        """The answer."""
        return largest_within(limit, self.solve, self.measure, str)[0].found


@given(
    steps=st.lists(st.floats(0.02, 0.4), min_size=4, max_size=60),
    bias=st.floats(0.9, 1.1),
    limit=st.floats(0.3, 3.0),
)
def test_a_predictor_with_one_factor_of_error_gives_the_largest_network_in_a_few_measurements(
    steps: list[float], bias: float, limit: float
) -> None:
    predicted = [sum(steps[: at + 1], 0.1) for at in range(len(steps))]
    stairs = Staircase(predicted, [bias * one for one in predicted])
    within = [at for at, value in enumerate(stairs.measured) if value <= limit * (1 - 1e-6)]
    near = [at for at, value in enumerate(stairs.measured) if value <= limit * (1 + 1e-6)]
    if not within or predicted[0] > limit:
        return

    assert stairs.largest(limit) in (within[-1], near[-1])
    assert stairs.asked <= 3


@given(
    steps=st.lists(st.floats(0.02, 0.4), min_size=4, max_size=60),
    errors=st.lists(st.floats(0.9, 1.1), min_size=60, max_size=60),
    limit=st.floats(0.5, 3.0),
)
def test_whatever_the_errors_the_answer_keeps_the_limit_as_measured(
    steps: list[float], errors: list[float], limit: float
) -> None:
    predicted = [sum(steps[: at + 1], 0.1) for at in range(len(steps))]
    stairs = Staircase(predicted, [one * error for one, error in zip(predicted, errors, strict=False)])
    try:
        found = stairs.largest(limit)
    except InputError:
        return
    assert stairs.measured[found] <= limit
    assert stairs.asked <= MOST_TRIES


def test_a_limit_below_the_smallest_network_is_what_the_solver_says() -> None:
    with pytest.raises(InputError, match="cannot be reached"):
        Staircase([1.0, 2.0], [1.0, 2.0]).largest(0.5)


def test_where_every_measured_network_is_too_slow_the_message_has_the_fastest() -> None:
    stairs = Staircase([1.0, 2.0], [3.0, 4.0])
    with pytest.raises(InputError, match=r"latency of 2.5 s as measured: the fastest of 2 takes 3 s where 1 s were"):
        stairs.largest(2.5)


def test_a_notch_that_the_error_of_a_neighbour_spans_is_measured() -> None:
    """The next network is predicted 2% above the limit, and keeps it."""
    stairs = Staircase([1.0, 1.02, 1.2], [1.0, 1.0, 1.3])
    assert stairs.largest(1.005) == 1
    far = Staircase([1.0, 1.06, 1.2], [1.0, 1.0, 1.3])
    assert far.largest(1.005) == 0
    assert far.asked == 1
