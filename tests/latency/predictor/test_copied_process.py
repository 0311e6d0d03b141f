"""What is done in a copy of the process leaves nothing in this one, and its answer comes back."""

import os

import pytest

from triscale.errors import InputError
from triscale.latency.predictor.copied_process import in_copy


def test_the_answer_comes_back_and_what_was_changed_does_not() -> None:
    here = [1]

    def changed() -> list[int]:
        here.append(2)
        return [*here, os.getpid()]

    *found, process = in_copy(changed)
    assert found == [1, 2]
    assert here == [1]
    assert process != os.getpid()


def test_what_an_engine_rejects_is_the_same_error_here() -> None:
    def rejected() -> None:
        raise InputError("no such block")

    with pytest.raises(InputError, match="no such block"):
        in_copy(rejected)


def test_a_copy_that_is_killed_is_an_error_and_no_wait() -> None:
    with pytest.raises(InputError, match="ended before"):
        in_copy(lambda: os.kill(os.getpid(), 9))


def test_another_error_of_the_copy_is_no_answer(capfd: pytest.CaptureFixture[str]) -> None:
    """Its trace is printed, so that whoever made the mistake finds it."""
    with pytest.raises(InputError, match="ended before"):
        in_copy(lambda: 1 / 0)
    assert "ZeroDivisionError" in capfd.readouterr().err
