"""Numbers as people type them."""

import pytest

from triscale.cli import quantities
from triscale.errors import UsageError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.0G", 1e9),
        ("9M", 9e6),
        ("8GiB", 8 * 2**30),
        ("64mib", 64 * 2**20),
        ("3k", 3000),
        ("1e9", 1e9),
        ("2.5e3M", 2.5e9),
        (".5T", 5e11),
        ("7", 7),
        (" 7 KiB ", 7168),
    ],
)
def test_units_are_decimal_without_i_and_binary_with_it(text: str, value: float) -> None:
    assert quantities.quantity(text) == value


@pytest.mark.parametrize(
    "text", ["", "-1", "0", "0G", "nan", "inf", "1e999", "G", "1X", "1 2", "١", "1GG", "--1", "0x10"]
)
def test_what_is_no_number_above_0_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write a number above 0"):
        quantities.quantity(text)


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("30m", 1800), ("1.5h", 5400), ("45", 45), ("1d", 86400)])
def test_durations_are_in_seconds(text: str, value: float) -> None:
    assert quantities.seconds(text) == value


@pytest.mark.parametrize("text", ["0m", "-5m", "5x", "nan", "m", "infh"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="30m"):
        quantities.seconds(text)


def test_a_resolution_is_one_side_or_height_by_width() -> None:
    assert quantities.pixels("64") == (64, 64)
    assert quantities.pixels("64x96") == (64, 96)


@pytest.mark.parametrize("text", ["", "0", "-64", "64x", "x64", "64x96x3", "64.5", "²", "1e3"])
def test_what_is_no_resolution_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="64x96"):
        quantities.pixels(text)


def test_limits_may_be_repeated_or_joined_with_commas() -> None:
    both = {"macs": 1e9, "training_memory": 2.0**33}
    assert quantities.limits(["macs=1G", "training-memory=8GiB"]) == both
    assert quantities.limits(["macs=1G,training_memory=8GiB"]) == both
    assert quantities.limits([]) == {}


@pytest.mark.parametrize("texts", [["macs"], ["macs=1G", "macs=2G"], ["macs="], ["=1"], [""], ["macs=1G,"]])
def test_a_limit_that_cannot_be_read_is_refused(texts: list[str]) -> None:
    with pytest.raises(UsageError):
        quantities.limits(texts)
