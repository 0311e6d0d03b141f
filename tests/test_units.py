"""Numbers as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale import units


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (7, "7"), (999, "999"), (1000, "1.00 k"), (9995, "10.0 k"), (99_950, "100 k"), (999_499, "999 k"),
        (999_500, "1.00 M"), (5_288_548, "5.29 M"), (385_814_752, "386 M"), (37_745_884_192, "37.7 G"), (0.5, "0.500"),
        (0.00123, "0.00123"), (-2e9, "-2.00 G"),
    ],
)  # fmt: skip
def test_counts_have_three_digits_and_a_prefix(value: float, text: str) -> None:
    assert units.count(value) == text


@given(st.integers(1, 10**17))
def test_a_printed_count_is_within_half_a_percent(value: int) -> None:
    number, _, prefix = units.count(value).partition(" ")
    scale = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}[prefix]
    assert float(number) * scale == pytest.approx(value, rel=0.0051)


def test_a_verb_agrees_with_its_number() -> None:
    found = [units.agreeing(number, "file is", "files are") for number in (0, 1, 2345)]
    assert found == ["0 files are", "1 file is", "2,345 files are"]


def test_ticks_drop_trailing_zeros_only() -> None:
    values = (2e6, 1.5e6, 150_000, 10e6, 50)
    assert [units.trimmed(value, 3) for value in values] == ["2 M", "1.5 M", "150 k", "10 M", "50"]


@pytest.mark.parametrize(
    ("value", "text"), [(385_814_752, "385.8 M"), (999_960, "1 M"), (999, "999"), (0, "0"), (-2e9, "-2 G")]
)
def test_on_a_terminal_counts_have_up_to_four_digits(value: float, text: str) -> None:
    assert units.trimmed(value) == text


@pytest.mark.parametrize(("value", "text"), [(2**31, "2.00 GiB"), (1536, "1.50 KiB"), (5, "5 bytes")])
def test_bytes_have_binary_units(value: float, text: str) -> None:
    assert units.memory(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(3725, "1 h 02 min"), (62.4, "1 min 02 s"), (0.4, "0 s"), (150, "2 min 30 s"), (59.6, "1 min 00 s")],
)
def test_durations_read_as_people_say_them(value: float, text: str) -> None:
    assert units.duration(value) == text


def test_fractions_sizes_and_times_carry_their_units() -> None:
    assert units.percent(0.4561) == "45.6 %"
    assert units.spread(0.4561, 0.0042, 3) == "45.6 ± 0.4 (3)"
    assert units.spread(0.4561, None, 1) == "45.6 (1)"
    assert units.span((0.4406, 0.4631)) == "44.1 to 46.3"
    assert units.points(0.0123) == "+1.2"
    assert [units.pixels([24, 24]), units.pixels([24, 32])] == ["24 px", "24×32 px"]
    assert units.size((24, 32)) == "24x32"


def test_what_is_missing_is_a_dash() -> None:
    shown = [units.percent(None), units.spread(None, None, 0), units.span(None), units.points(None), units.pixels(None)]
    assert shown == [units.MISSING] * 5


def test_any_value_of_a_record_reads_as_one_line() -> None:
    assert units.text({"lr": 0.1, "augment": ["flip", "crop"], "ema": True, "none": None}) == (
        "lr 0.1, augment flip, crop, ema yes, none –"
    )
