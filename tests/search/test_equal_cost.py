"""Studies at equal cost in another metric than MACs."""

from functools import partial

import pytest

from triscale.costs import Target, arena, count
from triscale.errors import UsageError
from triscale.families import network
from triscale.foreign import count_any
from triscale.scaling import PAPER, factors
from triscale.search.coefficients.baselines import baseline_of
from triscale.search.coefficients.candidates import candidates
from triscale.search.coefficients.equal_cost import EqualCost
from triscale.search.coefficients.family import family
from triscale.search.coefficients.pool import nearest_on_curve
from triscale.search.coefficients.rivals import rivals_of
from triscale.spec import ForeignNetwork

BASE = network("finenet_20")
ACTIVATIONS = EqualCost(metric="activations")


def test_candidates_cost_twice_the_activations_of_the_baseline() -> None:
    found = candidates(BASE, tolerance=0.1, most=8, cost=ACTIVATIONS)

    ratios = [count_any(one.network).activations / count(BASE).activations for one in found]
    assert [one.ratio for one in found] == ratios
    assert all(abs(ratio - 2) <= 0.1 for one, ratio in zip(found, ratios, strict=True) if one.within)


def test_width_alone_doubles_the_activations_of_a_network_that_it_doubles() -> None:
    """Tan & Le count MACs, which width squares; the activations of a convolution grow as its channels."""
    width = next(one for one in candidates(BASE, most=4, cost=ACTIVATIONS) if one.rule == "width")

    assert width.factors.width == pytest.approx(2, abs=0.05)
    assert count_any(width.network).macs / count(BASE).macs > 3


def test_the_nearest_network_of_a_curve_is_nearest_in_the_metric() -> None:
    cost = EqualCost(metric="arena", target=Target(precision="int8"))
    _, found = nearest_on_curve(BASE, partial(factors, "resolution"), 2.0 * arena(BASE, precision="int8"), cost)

    sides = [one.resolution[0] for one in (BASE, found)]
    assert sides == [20, 28], "maps grow with the square of the side"


def test_members_of_a_family_and_their_rivals_cost_alike_in_the_metric() -> None:
    chosen = next(one for one in candidates(BASE, most=8, cost=ACTIVATIONS) if one.rule == "grid")
    members = family(BASE, PAPER, 2.0, {}, Target(), {}, chosen, rivals_of(("width", "resolution")), cost=ACTIVATIONS)

    for one in members:
        record = one.record(BASE, None, ACTIVATIONS)
        assert record.ratio == count_any(one.network).activations / count(BASE).activations
    assert all(one.cost_ratio == pytest.approx(1, abs=0.05) for one in members)


def test_what_grows_better_is_no_cost_and_foreign_code_is_scaled_by_its_macs() -> None:
    with pytest.raises(UsageError, match="unknown cost 'speed'; the costs are macs"):
        EqualCost(metric="speed")
    with pytest.raises(UsageError, match="your own code is scaled by its MACs"):
        baseline_of(ForeignNetwork("my_package.models:build"), ACTIVATIONS)
