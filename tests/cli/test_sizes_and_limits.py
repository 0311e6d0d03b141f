"""Numbers as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.cli.options import sizes_and_limits
from triscale.costs import registry
from triscale.errors import UsageError
from triscale.quantities import BYTES, COUNT, DURATION, PER_SECOND, SECONDS, Unit


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        (COUNT, "1.0G", 1e9),
        (COUNT, "9M", 9e6),
        (COUNT, "3k", 3000),
        (COUNT, "1e9", 1e9),
        (COUNT, "2.5e3M", 2.5e9),
        (COUNT, ".5T", 5e11),
        (COUNT, "7", 7),
        (BYTES, "8GiB", 8 * 2**30),
        (BYTES, "64mib", 64 * 2**20),
        (BYTES, " 7 KiB ", 7168),
        (BYTES, "10MB", 1e7),
        (BYTES, "8G", 8e9),
        (BYTES, "512", 512),
        (SECONDS, "10ms", 0.01),
        (SECONDS, "1.5s", 1.5),
        (SECONDS, "30us", 30e-6),
        (SECONDS, "30 \u00b5s", 30e-6),
        (PER_SECOND, "100/s", 100),
        (PER_SECOND, "1.5k/s", 1500),
        (PER_SECOND, "100", 100),
    ],
)
def test_each_unit_reads_what_people_type_and_what_it_writes(unit: Unit, text: str, value: float) -> None:
    assert unit.read(text) == pytest.approx(value, rel=1e-15)
    assert unit.read(unit.write(value)) == value


@pytest.mark.parametrize("unit", [COUNT, BYTES, SECONDS, PER_SECOND])
@pytest.mark.parametrize(
    "text",
    ["", "-1", "0", "0G", "0s", "nan", "inf", "1e999", "G", "1X", "1 2", "١", "1GG", "--1", "0x10", "1/", "1s/s"],
)
def test_what_is_no_number_above_0_is_refused(unit: Unit, text: str) -> None:
    with pytest.raises(UsageError, match=r"^.*is not the limit x: write a number above 0 such as "):
        unit.read(text, "the limit x")


@pytest.mark.parametrize(
    ("unit", "text"), [(COUNT, "1GiB"), (COUNT, "10ms"), (BYTES, "1s"), (SECONDS, "10"), (SECONDS, "1G")]
)
def test_a_number_in_another_unit_is_refused(unit: Unit, text: str) -> None:
    with pytest.raises(UsageError, match="write a number above 0 such as"):
        unit.read(text)


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (COUNT, 385_814_752, "385.8 M"),
        (BYTES, 2**31, "2.00 GiB"),
        (SECONDS, 0.01234, "12.3 ms"),
        (SECONDS, 2.5, "2.5 s"),
        (SECONDS, 3e-5, "30 us"),
        (SECONDS, 0, "0 us"),
        (PER_SECOND, 1234, "1.234 k/s"),
    ],
)
def test_each_unit_shows_rounded_values(unit: Unit, value: float, text: str) -> None:
    assert unit.show(value) == text


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("30m", 1800), ("1.5h", 5400), (" 45 S", 45), ("1d", 86400)])
def test_durations_are_in_seconds(text: str, value: float) -> None:
    assert sizes_and_limits.seconds(text) == value


@pytest.mark.parametrize("text", ["5", "300", " 1.5 ", "1e2"])
def test_a_duration_without_a_unit_is_refused_with_what_it_may_mean(text: str) -> None:
    with pytest.raises(UsageError, match=f"write {text.strip()}m for minutes, or {text.strip()}s for seconds"):
        sizes_and_limits.seconds(text)


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (COUNT, 25_000_000, "25M"),
        (COUNT, 1_500, "1.5k"),
        (COUNT, 385_814_752, "385814752"),
        (BYTES, 2_000_000, "2MB"),
        (BYTES, 2**21, "2MiB"),
        (BYTES, 1_234_567, "1234567B"),
        (SECONDS, 0.005, "5ms"),
        (SECONDS, 0.5, "0.5s"),
        (PER_SECOND, 1_500, "1.5k/s"),
        (DURATION, 3_600, "1h"),
        (DURATION, 5_400, "90m"),
        (DURATION, 90, "90s"),
    ],
)
def test_each_unit_writes_as_people_type(unit: Unit, value: float, text: str) -> None:
    assert unit.write(value) == text


@pytest.mark.parametrize("unit", [COUNT, BYTES, SECONDS, PER_SECOND, DURATION])
@given(value=st.floats(1e-3, 1e11), like=st.floats(1e-3, 1e11), at_least=st.booleans())
def test_a_bound_in_a_message_is_kept_by_the_value_and_near_to_it(
    unit: Unit, value: float, like: float, at_least: bool
) -> None:
    text = unit.enough(value, like, at_least=at_least)
    bound = unit.read(text)
    assert bound <= value * (1 + 1e-9) if at_least else bound >= value * (1 - 1e-9)
    assert bound == pytest.approx(value, rel=0.0101)
    assert len("".join(filter(str.isdecimal, text)).strip("0")) <= 3, "three digits"


def test_a_bound_has_the_prefixes_of_the_limit_that_was_typed() -> None:
    assert COUNT.enough(7_184_320, 5e6) == "7.19M"
    assert COUNT.enough(7_184_320, 5e6, at_least=True) == "7.18M"
    assert BYTES.enough(123_456, 100_000) == "124kB"
    assert BYTES.enough(123_456, 2**16) == "121KiB"
    assert SECONDS.enough(0.0032123, 0.001) == "3.22ms"


@pytest.mark.parametrize("text", ["macs:50M", "macs 50M", "macs<50M", "macs<=50M", "macs50M", "macs: 50M"])
def test_a_budget_with_another_separator_is_shown_as_it_is_written(text: str) -> None:
    with pytest.raises(UsageError, match=r"did you mean macs=50M\?$"):
        sizes_and_limits.limits([text])


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("mac", "macs"), ("FLOPs", "macs"), ("param", "params"), ("latncy", "latency"), ("ram", "arena"),
        ("SRAM", "arena"), ("flash", "file_size"),
    ],
)  # fmt: skip
def test_a_limit_that_is_nearly_one_is_shown_the_nearest(written: str, name: str) -> None:
    with pytest.raises(UsageError, match=rf"unknown limit '{written}'; did you mean {name}\? The limits are macs, "):
        sizes_and_limits.limits([f"{written}=1"])


@pytest.mark.parametrize("text", ["0m", "-5m", "5x", "nan", "m", "infh"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="30m"):
        sizes_and_limits.seconds(text)


def test_a_resolution_is_one_side_or_height_by_width() -> None:
    assert sizes_and_limits.pixels("64") == (64, 64)
    assert sizes_and_limits.pixels("64x96") == (64, 96)


@pytest.mark.parametrize("text", ["", "0", "-64", "64x", "x64", "64x96x3", "64.5", "²", "1e3"])
def test_what_is_no_resolution_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="64x96"):
        sizes_and_limits.pixels(text)


def test_limits_may_be_repeated_or_joined_with_commas() -> None:
    both = {"macs": 1e9, "training_memory": 2.0**33}
    assert sizes_and_limits.limits(["macs=1G", "training-memory=8GiB"]) == both
    assert sizes_and_limits.limits(["macs=1G,training_memory=8GiB"]) == both
    assert sizes_and_limits.limits([]) == {}


@pytest.mark.parametrize("texts", [["macs"], ["macs=1G", "macs=2G"], ["macs="], ["=1"], [""], ["macs=1G,"]])
def test_a_limit_that_cannot_be_read_is_refused(texts: list[str]) -> None:
    with pytest.raises(UsageError):
        sizes_and_limits.limits(texts)


def test_an_unknown_limit_is_named_with_those_that_exist_before_its_number_is_read() -> None:
    with pytest.raises(UsageError, match=r"^unknown limit 'speed'; the limits are macs, params, .*, latency\.$"):
        sizes_and_limits.limits(["speed=10 parsecs"])


def test_the_help_of_a_budget_names_every_metric_of_the_registry() -> None:
    assert all(name in sizes_and_limits.budget_help("a limit") for name in registry())


def test_names_of_metrics_may_be_joined_and_are_known() -> None:
    assert sizes_and_limits.metric_names(["macs,file-size", "macs"]) == ("macs", "file_size")
    with pytest.raises(UsageError, match=r"^unknown metric 'flops'; did you mean macs\? The metrics are macs, "):
        sizes_and_limits.metric_names(["flops"])
