"""The Lite form of a network, against the authors' members and against timm."""

from dataclasses import replace

import pytest

from triscale import families
from triscale.costs import cost
from triscale.errors import UsageError
from triscale.scaling import lite_form, network, scale_by_rule
from triscale.spec import content_hash


@pytest.mark.parametrize("number", range(5))
def test_the_lite_form_of_each_member_is_the_authors_lite_member(number: int) -> None:
    """All but the name; and but the dropout of Lite4, which the authors set to 0.3 where B4 has 0.4."""
    wanted = families.network(f"efficientnet_lite{number}")
    made = lite_form(families.network(f"efficientnet_b{number}"))
    assert content_hash(replace(made, head=replace(made.head, dropout=wanted.head.dropout))) == content_hash(wanted)
    assert (made.head.dropout == wanted.head.dropout) == (number < 4)


def test_lite0_has_the_parameters_that_the_authors_print() -> None:
    """README of their Lite models: 4.7 M params, 407 M MACs with the layers that they count."""
    made = cost(lite_form(families.network("efficientnet_b0")))
    assert round(made.params / 1e6, 1) == 4.7
    assert abs(made.macs / 1e6 - 407) < 25


def test_the_name_of_a_scaling_says_its_baseline() -> None:
    scaled = scale_by_rule(families.network("efficientnet_b0"), "compound", 2.0, None)
    base = families.network("efficientnet_b0")
    made = lite_form(scaled)
    assert made.stem.channels == base.stem.channels
    assert made.head.channels == base.head.channels
    assert (made.stages[0].repeats, made.stages[-1].repeats) == (1, 1)
    assert made.resolution == scaled.resolution
    assert [one.channels for one in made.stages] == [one.channels for one in scaled.stages]


def test_a_network_of_no_known_name_is_its_own_baseline() -> None:
    own = replace(
        families.network("smallnet_24"), name="mine", stem=replace(families.network("smallnet_24").stem, channels=24)
    )
    made = lite_form(own, activation="hard_swish")
    assert (made.stem.channels, made.activation, made.stem.scales) == (24, "hard_swish", False)
    assert all(stage.squeeze_excite is None for stage in made.stages)
    assert lite_form(made, activation="hard_swish").stages == made.stages


def test_lite_is_a_name_of_networks() -> None:
    assert content_hash(network("efficientnet_b2@lite")) == content_hash(families.network("efficientnet_lite2"))
    assert network("smallnet_24@lite@phi=1").activation == "relu6"


def test_what_has_no_lite_form_is_refused() -> None:
    for name, given, words in (
        ("efficientnet_b0", {"activation": "gelu"}, "relu6 or hard_swish"),
        ("amoebanet_b", {}, "made of cells"),
        ("efficientnet_b0", {"baseline": families.network("mobilenet_v2")}, "was not scaled from mobilenet_v2"),
    ):
        with pytest.raises(UsageError, match=words):
            lite_form(families.network(name), **given)
