"""Short names: the fewest decimals that still name the same network."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scaling.rules_there_are import towards
from triscale.costs import count
from triscale.errors import TriscaleError
from triscale.scaling import (
    PAPER,
    RULES,
    Coefficients,
    Factors,
    factors,
    fit_budget,
    network,
    scale_shortly,
    short_factors,
    short_phi,
)  # fmt: skip
from triscale.spec import Network, content_hash, scale

bases = st.sampled_from(["efficientnet_b0", "efficientnet_lite0", "smallnet_24", "resnet18"])
factor = st.floats(0.3, 3)


def at(base: Network, rule: str, phi: float, coefficients: Coefficients) -> str:
    try:
        return content_hash(scale(base, **factors(rule, phi, coefficients)._asdict()))
    except TriscaleError:
        return "none"


def places(value: float) -> int:
    return max(0, -int(Decimal(str(value)).normalize().as_tuple().exponent))


@settings(max_examples=60, deadline=None)
@given(bases, st.sampled_from(sorted(RULES)), st.floats(-3, 3), st.tuples(*3 * [st.floats(1, 1.5)]))
def test_a_short_phi_gives_the_same_network_and_no_shorter_one_does(
    name: str, rule: str, phi: float, of: tuple[float, float, float]
) -> None:
    base, coefficients, phi = network(name), Coefficients(*of), towards(rule, phi)
    short = short_phi(base, rule, phi, coefficients)
    wanted = at(base, rule, phi, coefficients)
    assert at(base, rule, short, coefficients) == wanted
    for shorter in range(min(places(short), 15)):
        step = Decimal(1).scaleb(-shorter)
        sides = [float(Decimal(phi).quantize(step, way)) for way in (ROUND_FLOOR, ROUND_CEILING)]
        assert wanted not in [at(base, rule, side, coefficients) for side in sides]


@settings(max_examples=40, deadline=None)
@given(bases, factor, factor, factor)
def test_short_factors_give_the_same_network(name: str, depth: float, width: float, side: float) -> None:
    base, where = network(name), Factors(depth, width, side)
    short = short_factors(base, where)
    assert content_hash(scale(base, **short._asdict())) == content_hash(scale(base, **where._asdict()))
    assert all(places(a) <= places(b) for a, b in zip(short, where, strict=True))
    named = scale_shortly(base, where)
    assert network(named.name) == named


@settings(max_examples=15, deadline=None)
@given(st.floats(0.3, 8), st.booleans())
def test_the_solver_gives_short_names_of_the_network_it_found(ratio: float, filled: bool) -> None:
    base = network("efficientnet_b0")
    found = fit_budget(base, {"macs": ratio * count(base).macs}, filled=filled)
    assert content_hash(found.network) == content_hash(scale(base, **found.factors._asdict()))
    assert network(found.network.name) == found.network
    assert found.fit.slack["macs"] == ratio * count(base).macs - count(found.network).macs


@pytest.mark.parametrize(
    ("phi", "short"), [(0.8800894413143396, "0.88"), (2.9999999, "3.0"), (-0.0001, "0.0"), (1.5, "1.5")]
)
def test_residue_is_gone(phi: float, short: str) -> None:
    assert str(short_phi(network("efficientnet_b0"), "compound", phi, PAPER)) == short
