"""Scaling: what changes, what never does, and what is rejected."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spec.strategies import networks
from triscale.errors import InputError, UsageError
from triscale.families import network
from triscale.spec import Network, fix_stem_and_head, scale, scale_size
from triscale.spec.rounding import round_channels, round_repeats, round_side

factors = st.floats(0.05, 4)
quick = settings(max_examples=30, deadline=None)
SCALED = ("depth", "width", "resolution")


def widths(net: Network) -> list[tuple[int, bool]]:
    """Every width of the network and whether it scales, the stem's first and the head's last."""
    stem, head = net.stem, net.head
    heads = [wide for wide in (head.channels, head.hidden) if wide is not None]
    return [
        *((wide, stem.scales) for wide in (stem.channels, *stem.deep)),
        *((stage.channels, True) for stage in net.stages),
        *((wide, head.scales) for wide in heads),
    ]


def sizes(net: Network) -> dict[str, list[int]]:
    """Everything that a factor can change, by factor."""
    return {
        "depth": [stage.repeats for stage in net.stages],
        "width": [wide for wide, _ in widths(net)],
        "resolution": list(net.resolution),
    }


def without_sizes(net: Network) -> Network:
    """The network with everything that a factor can change set to 1."""
    return replace(
        net,
        name="n",
        resolution=(1, 1),
        stem=replace(net.stem, channels=1, deep=(1,) * len(net.stem.deep)),
        stages=tuple(replace(stage, repeats=1, channels=4) for stage in net.stages),
        head=replace(net.head, channels=net.head.channels and 1, hidden=net.head.hidden and 1),
    )


@quick
@given(networks())
def test_factors_of_one_change_nothing(net: Network) -> None:
    assert scale(net) is net
    assert scale(net, depth=1.0, width=1, resolution=1.0) == net


@quick
@given(networks(), factors, factors, factors)
def test_only_repeats_channels_and_sides_change(net: Network, depth: float, width: float, resolution: float) -> None:
    scaled = scale(net, depth=depth, width=width, resolution=resolution)
    assert without_sizes(net) == without_sizes(scaled)


@quick
@given(networks(), factors, factors, factors)
def test_every_size_is_the_rounded_product(net: Network, depth: float, width: float, resolution: float) -> None:
    scaled = scale(net, depth=depth, width=width, resolution=resolution)
    grid = net.channel_divisor, net.channel_floor
    wide = [c if width == 1 or not scales else round_channels(c * width, *grid) for c, scales in widths(net)]
    deep = [round_repeats(s.repeats * depth) if s.scales_depth else s.repeats for s in net.stages]
    assert {"depth": deep, "width": wide, "resolution": [round_side(s * resolution) for s in net.resolution]} == sizes(
        scaled
    )


@quick
@given(networks(), st.sampled_from(SCALED), factors, factors)
def test_a_larger_factor_never_makes_any_size_smaller(net: Network, which: str, one: float, two: float) -> None:
    low, high = sorted((one, two))
    smaller, larger = scale(net, **{which: low}), scale(net, **{which: high})
    for name in SCALED:
        pairs = list(zip(sizes(smaller)[name], sizes(larger)[name], strict=True))
        assert all(a <= b for a, b in pairs) if name == which else all(a == b for a, b in pairs)


@quick
@given(networks(), factors)
def test_a_fixed_stem_head_first_and_last_stage_do_not_scale(net: Network, factor: float) -> None:
    fixed = fix_stem_and_head(net)
    scaled = scale(fixed, depth=factor, width=factor)
    assert net.stem.channels == scaled.stem.channels
    assert net.head.channels == scaled.head.channels
    for place in (0, -1):
        assert net.stages[place].repeats == scaled.stages[place].repeats
        expected = round_channels(net.stages[place].channels * factor, net.channel_divisor, net.channel_floor)
        assert (expected if factor != 1 else net.stages[place].channels) == scaled.stages[place].channels


def test_lite_members_keep_stem_head_and_the_depth_of_first_and_last_stage() -> None:
    for name in ("efficientnet_lite0", "efficientnet_lite2", "efficientnet_lite4"):
        lite = network(name)
        assert (lite.stem.channels, lite.head.channels) == (32, 1280)
        assert (lite.stages[0].repeats, lite.stages[-1].repeats) == (1, 1)
    assert [stage.repeats for stage in network("efficientnet_lite4").stages] == [1, 4, 4, 6, 6, 8, 1]


def test_sides_scale_each_for_itself() -> None:
    assert scale_size((224, 112), 1.15) == (258, 129)
    assert scale_size((3, 1), 0.01) == (1, 1)


@pytest.mark.parametrize("which", SCALED)
@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf"), -float("inf")])
def test_a_factor_that_cannot_be_meant_is_named(which: str, factor: float) -> None:
    with pytest.raises(UsageError, match=f"^{which} factor is {factor}; give a finite number above 0"):
        scale(network("efficientnet_b0"), **{which: factor})


@pytest.mark.parametrize(
    ("which", "said"), [("depth", "repeats of a stage"), ("width", "channels"), ("resolution", "pixels of a side")]
)
@pytest.mark.parametrize("factor", [1e6, 1e300])
def test_a_network_too_large_to_be_meant_is_refused_before_it_is_built(which: str, said: str, factor: float) -> None:
    with pytest.raises(InputError, match=f"too large:\n.*{said}, the most is") as caught:
        scale(network("efficientnet_b0"), **{which: factor})
    assert str(caught.value).count("\n") <= 2
