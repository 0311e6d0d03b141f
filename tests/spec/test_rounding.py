"""The laws of rounding, against exact fractions, released widths, TensorFlow's padding and torch's shapes."""

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from triscale.spec.rounding import output_side, pad_side, round_channels, round_repeats, round_side, round_squeeze

widths = st.floats(0.01, 10_000)
divisors = st.sampled_from([1, 2, 3, 4, 5, 8, 16, 32])

B0_WIDTHS = (32, 16, 24, 40, 80, 112, 192, 320, 1280)
B0_REPEATS = (1, 2, 2, 3, 3, 4, 1)

# What the released checkpoints of these members hold (stem, seven stages, head).
PUBLISHED_WIDTHS = {
    "1.2": (40, 24, 32, 48, 96, 136, 232, 384, 1536),
    "1.4": (48, 24, 32, 56, 112, 160, 272, 448, 1792),
    "1.6": (48, 24, 40, 64, 128, 176, 304, 512, 2048),
    "1.8": (56, 32, 40, 72, 144, 200, 344, 576, 2304),
    "2.0": (64, 32, 48, 80, 160, 224, 384, 640, 2560),
}
PUBLISHED_REPEATS = {"1.8": (2, 4, 4, 6, 6, 8, 2), "2.2": (3, 5, 5, 7, 7, 9, 3), "3.1": (4, 7, 7, 10, 10, 13, 4)}


def official_width(wanted: Fraction, divisor: int) -> int:
    """The authors' rule in exact arithmetic: nearest multiple, half up; one more where that loses over 10%."""
    below = wanted // divisor * divisor
    nearest = below + (divisor if 2 * (wanted - below) >= divisor else 0)
    nearest = max(nearest, divisor)
    return int(nearest if 10 * nearest >= 9 * wanted else nearest + divisor)


@given(widths, divisors)
def test_a_rounded_width_is_a_multiple_of_the_divisor_and_at_least_it(wanted: float, divisor: int) -> None:
    rounded = round_channels(wanted, divisor)
    assert rounded % divisor == 0
    assert rounded >= divisor


@given(widths, divisors)
def test_a_rounded_width_keeps_90_percent_and_adds_less_than_a_divisor(wanted: float, divisor: int) -> None:
    rounded = round_channels(wanted, divisor)
    assert rounded >= 0.9 * wanted * (1 - 1e-8)
    assert rounded <= max(divisor, wanted + divisor)


@given(widths, widths, divisors)
def test_a_larger_width_never_rounds_to_fewer_channels(one: float, two: float, divisor: int) -> None:
    low, high = sorted((one, two))
    assert round_channels(low, divisor) <= round_channels(high, divisor)


@given(st.integers(1, 4000), st.integers(1, 600), divisors)
def test_widths_match_the_official_rule_in_exact_fractions(base: int, percent: int, divisor: int) -> None:
    expected = official_width(Fraction(base * percent, 100), divisor)
    assert expected == round_channels(base * (percent / 100), divisor)


@pytest.mark.parametrize("multiplier", ["1.0", "1.1", "1.2", "1.4", "1.6", "1.8", "2.0", "2.2", "4.3"])
def test_widths_match_the_official_rule_for_the_authors_multipliers(multiplier: str) -> None:
    for base in B0_WIDTHS:
        assert official_width(base * Fraction(multiplier), 8) == round_channels(base * float(multiplier), 8)


@pytest.mark.parametrize("multiplier", PUBLISHED_WIDTHS)
def test_widths_match_the_released_members(multiplier: str) -> None:
    assert PUBLISHED_WIDTHS[multiplier] == tuple(round_channels(base * float(multiplier), 8) for base in B0_WIDTHS)


@pytest.mark.parametrize("multiplier", PUBLISHED_REPEATS)
def test_repeats_match_the_released_members(multiplier: str) -> None:
    assert PUBLISHED_REPEATS[multiplier] == tuple(round_repeats(base * float(multiplier)) for base in B0_REPEATS)


@given(st.integers(1, 3000), st.integers(1, 1000))
def test_floating_point_noise_never_adds_a_repeat(base: int, percent: int) -> None:
    """2.2 * 25 is 55.00000000000001, and still 55 blocks."""
    assert math.ceil(Fraction(base * percent, 100)) == round_repeats(base * (percent / 100))


def test_repeats_that_just_fit_are_kept_for_every_depth_factor() -> None:
    for base in range(1, 60):
        for wanted in range(base, 3 * base):
            assert wanted == round_repeats(base * (wanted / base))
            assert wanted + 1 == round_repeats(base * (wanted / base) * 1.0001)


@given(st.integers(1, 5000), st.integers(1, 1000))
def test_a_side_is_the_nearest_pixel_with_half_rounding_up(base: int, percent: int) -> None:
    expected = max(1, math.floor(Fraction(base * percent, 100) + Fraction(1, 2)))
    assert expected == round_side(base * (percent / 100))


@given(st.integers(1, 5000), st.sampled_from(["0.25", "0.0625", "0.1", "0.3333", "1"]))
def test_squeezed_channels_round_down_and_stay_at_least_one(base: int, ratio: str) -> None:
    assert max(1, math.floor(base * Fraction(ratio))) == round_squeeze(base * float(ratio))


@given(st.integers(1, 600), st.sampled_from([1, 3, 5, 7, 9]), st.integers(1, 5))
def test_same_padding_matches_tensorflows_documented_formula(side: int, kernel: int, stride: int) -> None:
    """As documented under `tf.nn.convolution`: the pad depends on side modulo stride, the odd pixel goes after."""
    total = max(kernel - (stride if side % stride == 0 else side % stride), 0)
    assert (total // 2, total - total // 2) == pad_side(side, kernel, stride, "same")
    assert math.ceil(side / stride) == output_side(side, kernel, stride, "same")


@settings(deadline=None)
@given(st.tuples(*2 * [st.integers(1, 40)]), st.sampled_from([1, 3, 5, 7]), st.integers(1, 4))
def test_sizes_match_the_shape_of_torch_convolutions(size: tuple[int, int], kernel: int, stride: int) -> None:
    picture, weight = torch.zeros(1, 1, *size), torch.zeros(1, 1, kernel, kernel)
    for padding in ("same", "symmetric"):
        (top, bottom), (left, right) = (pad_side(side, kernel, stride, padding) for side in size)
        out = F.conv2d(F.pad(picture, (left, right, top, bottom)), weight, stride=stride)
        assert tuple(out.shape[2:]) == tuple(output_side(side, kernel, stride, padding) for side in size)
    symmetric = F.conv2d(picture, weight, stride=stride, padding=kernel // 2)
    assert tuple(symmetric.shape[2:]) == tuple(output_side(side, kernel, stride, "symmetric") for side in size)
