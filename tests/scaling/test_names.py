"""Names such as `efficientnet_b0@phi=1.5`: each scaled network's own name makes it again."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scaling.rules_there_are import towards
from triscale.errors import InputError, TriscaleError, UsageError
from triscale.families import registry
from triscale.scaling import RULES, Coefficients, network, parse_coefficients, scale_by_rule
from triscale.spec import Network, dumps, scale

bases = st.sampled_from(["efficientnet_b0", "efficientnet_lite0", "smallnet_24", "resnet18"])
factor = st.floats(0.3, 3)
B0 = registry()["efficientnet_b0"][1]


@settings(max_examples=30, deadline=None)
@given(bases, st.sampled_from(sorted(RULES)), st.floats(-3, 3), st.tuples(*3 * [st.floats(1, 1.5)]))
def test_the_name_of_a_network_scaled_by_rule_makes_it_again(
    base: str, rule: str, phi: float, coefficients: tuple[float, float, float]
) -> None:
    scaled = scale_by_rule(network(base), rule, towards(rule, phi), Coefficients(*coefficients))
    assert network(scaled.name) == scaled


@settings(max_examples=30, deadline=None)
@given(bases, factor, factor, factor)
def test_the_name_of_a_network_scaled_by_factors_makes_it_again(
    base: str, depth: float, width: float, side: float
) -> None:
    scaled = scale(network(base), depth=depth, width=width, resolution=side)
    assert network(scaled.name) == scaled
    again = scale_by_rule(scaled, "depth", 0.5)
    assert network(again.name) == again


def test_the_factors_of_a_name_may_be_numpy_numbers() -> None:
    wide, deep = scale(B0, width=np.float64(1.3)), scale_by_rule(B0, "compound", np.float64(0.7))
    assert network(wide.name) == wide
    assert network(deep.name) == deep


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("efficientnet_b0", B0),
        ("efficientnet_b0@phi=1.5", scale_by_rule(B0, "compound", 1.5)),
        ("efficientnet_b0@phi=-1,rule=width", scale_by_rule(B0, "width", -1)),
        ("efficientnet_b0@rule=depth,phi=2", scale_by_rule(B0, "depth", 2)),
        (
            "efficientnet_b0@phi=1,coefficients=1.3/1.1/1.05",
            scale_by_rule(B0, "compound", 1, Coefficients(1.3, 1.1, 1.05)),
        ),
        ("efficientnet_b0@depth=1.4,width=1.2,resolution=1.3", scale(B0, depth=1.4, width=1.2, resolution=1.3)),
        ("efficientnet_b0@width=2", scale(B0, width=2)),
        ("efficientnet_b0@width=2@phi=1", scale_by_rule(scale(B0, width=2), "compound", 1)),
    ],
)
def test_a_name_is_read_from_left_to_right(name: str, expected: Network) -> None:
    found = network(name)
    assert (found.stages, found.stem, found.head, found.resolution) == (
        expected.stages, expected.stem, expected.head, expected.resolution,
    )  # fmt: skip


@pytest.mark.parametrize("file", ["net.json", "efficientnet_b0@phi=1.5.json", "me@home/net.json", "a.json@b/c.json"])
def test_a_spec_file_serves_as_a_name_wherever_it_lies(tmp_path: Path, file: str) -> None:
    """`scale --out efficientnet_b0@phi=1.5.json` writes a file that can be named again."""
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(dumps(B0), encoding="utf-8")
    assert network(str(path)) == B0
    assert network(f"{path}@phi=1").stages == scale_by_rule(B0, "compound", 1).stages


def test_a_spec_file_that_is_absent_is_named() -> None:
    with pytest.raises(InputError, match=r"cannot read the network file no/such\.json"):
        network("no/such.json@phi=1")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("efficientnet_b9", "did you mean"),
        ("efficientnet_b9@phi=1", "did you mean"),
        ("efficientnet_b0@", "cannot read the scaling ''"),
        ("efficientnet_b0@1.5", "cannot read the scaling '1.5'"),
        ("efficientnet_b0@phi", "cannot read the scaling 'phi'"),
        ("efficientnet_b0@phi=1,phi=2", "cannot read the scaling"),
        ("efficientnet_b0@phi=1,", "cannot read the scaling"),
        ("efficientnet_b0@phi=1,width=2", "cannot read the scaling"),
        ("efficientnet_b0@rule=width", "cannot read the scaling"),
        ("efficientnet_b0@size=2", "cannot read the scaling"),
        ("efficientnet_b0@phi=one", "'one' is not a number"),
        ("efficientnet_b0@phi=nan", "phi is nan"),
        ("efficientnet_b0@phi=1,rule=tall", "unknown rule 'tall'"),
        ("efficientnet_b0@phi=1,coefficients=1.2/1.1", "are not three numbers"),
        ("efficientnet_b0@width=0", "width factor is 0.0"),
        ("efficientnet_b0@depth=-1", "depth factor is -1.0"),
    ],
)
def test_a_name_that_cannot_be_read_is_a_usage_error(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        network(name)
    assert str(caught.value).count("\n") <= 2


@pytest.mark.parametrize("name", ["efficientnet_b0@phi=60", "efficientnet_b0@phi=1e6", "efficientnet_b0@width=1e9"])
def test_a_silly_scaling_is_an_input_error(name: str) -> None:
    with pytest.raises(InputError, match=r"too large|too far"):
        network(name)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["efficientnet_b0", "x.json", ""]), st.text("@=,./ 0123456789aehipdtrlw\0\n-", max_size=20))
def test_no_text_whatever_raises_anything_but_our_own_errors(base: str, text: str) -> None:
    try:
        network(base + text)
    except TriscaleError as error:
        message = str(error)
    else:
        return
    assert message.count("\n") <= 2


@pytest.mark.parametrize("text", ["1.2,1.1,1.15", "1.2/1.1/1.15", " 1.2, 1.1, 1.15"])
def test_coefficients_are_read_with_commas_or_slashes(text: str) -> None:
    assert parse_coefficients(text) == Coefficients(1.2, 1.1, 1.15)


@pytest.mark.parametrize("text", ["", "1.2", "1.2,1.1", "1,2,3,4", "a,b,c"])
def test_coefficients_that_are_not_three_numbers_are_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match=r"are not three numbers such as 1.2,1.1,1.15"):
        parse_coefficients(text)
