"""Rounds: each network once a round, in an order that changes, until intervals are narrow or the time is up."""

from itertools import count

import pytest

from triscale.latency.measuring import interleaved
from triscale.latency.measuring.interleaved import Limits, Rounds, interleave
from triscale.latency.measuring.measurement import Visit
from triscale.latency.measuring.quiet import Reading


class Played:
    """A bench whose times are written down beforehand."""

    def __init__(self, *spreads: float) -> None:
        self.spreads, self.visited, self._turn = spreads, list[int](), count()

    def visit(self, number: int) -> Visit:
        """Ten milliseconds and more, with the network's spread."""
        self.visited.append(number)
        wall = 10 * (number + 1) * (1 + self.spreads[number] * (next(self._turn) % 7 - 3) / 3)
        return Visit(wall=(wall,) * 3, cpu=(wall,) * 3)

    def reading(self) -> Reading:
        """A quiet machine."""
        return Reading(wall=1.0, cpu=1.0)


def ignored(rounds: Rounds) -> None:
    """Nobody watches."""


def test_each_round_visits_every_network_once_and_orders_differ_and_repeat() -> None:
    first, again = Played(0, 0, 0, 0), Played(0, 0, 0, 0)
    for bench in (first, again):
        interleave(bench, 4, Limits(rounds=8), ignored)
    rounds = [tuple(first.visited[i : i + 4]) for i in range(0, 32, 4)]
    assert all(sorted(one) == [0, 1, 2, 3] for one in rounds)
    assert len(set(rounds)) > 4
    assert first.visited == again.visited


def test_rounds_end_once_every_interval_is_narrow_and_not_before_six() -> None:
    found = interleave(Played(0.001, 0.002), 2, Limits(), ignored)
    assert len(found.readings) == 6
    assert found.narrow(0.02)
    assert not found.out_of_time


def test_where_intervals_stay_wide_the_time_ends_the_rounds_and_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count(step=0.1)
    monkeypatch.setattr(interleaved, "monotonic", lambda: next(clock))
    found = interleave(Played(0.001, 0.3), 2, Limits(seconds=20), ignored)
    assert found.out_of_time
    assert len(found.readings) > 6
    assert len(found.visits[0]) == len(found.visits[1]) == len(found.readings)


def test_a_number_of_rounds_is_kept_whatever_the_spread() -> None:
    for rounds in (1, 3, 11):
        assert len(interleave(Played(0.3), 1, Limits(rounds=rounds, seconds=1e-9), ignored).readings) == rounds


def test_the_reference_runs_within_long_rounds_too(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count(step=1.0)
    monkeypatch.setattr(interleaved, "monotonic", lambda: next(clock))
    found = interleave(Played(0, 0, 0), 3, Limits(rounds=2), ignored)
    assert [len(one) for one in found.readings] == [5, 5]
