"""A network scaled by several rules to one measured latency, and by the direction that buys most MACs for it."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import log
from operator import itemgetter
from typing import NamedTuple

from triscale.costs import Target, count
from triscale.errors import InputError
from triscale.latency.clocked_networks import Clocked, clocked
from triscale.latency.latency_metric import LATENCY
from triscale.scaling import Coefficients, Factors, Ruled, by_rules, factors, fit_budget, rule_named, scale_by_rule
from triscale.spec import Network, content_hash

FITTED = "most_macs"
STEPS = 4
"""Directions are tried where each share of log2 of the nominal cost is a multiple of one over this."""

TRIES, NEAR = 3, 0.03
"""How often rules are solved and measured; a rule is near where its time differs by less than this share."""

_MOST_MACS = 16.0
"""Times the MACs of the reference: no rule is followed farther."""


class Timed(NamedTuple):
    """A scaled network, its measured seconds of a step, and whether the machine was quiet then."""

    ruled: Ruled
    seconds: float
    clean: bool = True


def at_equal_latency(
    network: Network,
    rules: Sequence[str],
    *,
    phi: float = 1.0,
    coefficients: Coefficients | None = None,
    target: Target,
    clock: Callable[[Sequence[Network]], Sequence[Clocked]] | None = None,
) -> tuple[Timed, ...]:
    """The compound member at `phi`, and the network of each other rule that takes as long, as measured.

    All are measured side by side; each rule is solved again for the latency that its error asks for, until all are
    near, nothing changes, or it was done `TRIES` times. What came nearest of each rule is measured once more, and that
    is what is returned. The last is the direction of scaling with the most MACs at this latency.

    Args:
        network: the baseline.
        rules: names of `triscale.scaling.RULES` beside compound.
        phi: of the compound member.
        coefficients: of compound; None: the paper's.
        target: latency is of its `engine`, where there is one.
        clock: networks -> what was measured of each; None: measures here.

    Raises:
        InputError: the target is not calibrated, or the engine rejects a network.
    """
    measure = clock or partial(clocked, target=target.engine or target)
    reference = Ruled(
        "compound", rule_named("compound").source, phi,
        factors("compound", phi, coefficients), scale_by_rule(network, "compound", phi, coefficients),
    )  # fmt: skip
    aim, most = LATENCY.of(reference.network, target), _MOST_MACS * count(reference.network).macs
    solve = partial(_solved, network, target, most)
    names = [name for name in dict.fromkeys(rules) if name != "compound"]
    found = [reference, *(one for name in names for one in solve(name, aim)), _fitted(network, target, most, aim)]
    nearest = dict[str, tuple[float, Ruled]]()
    for _ in range(TRIES):
        (own, *others), again = _each(found, measure), [reference]
        for one, took in zip(found[1:], (other.seconds for other in others), strict=True):
            off = abs(log(took / own.seconds))
            nearest[one.rule] = min((off, one), nearest.get(one.rule, (off, one)), key=itemgetter(0))
            corrected = LATENCY.of(one.network, target) * own.seconds / took
            again += solve(one.rule, corrected) if one.rule != FITTED else [_along(network, target, corrected, one)]
        nothing_new = [one.network for one in again] == [one.network for one in found]
        if nothing_new or max((off for off, _ in nearest.values()), default=0.0) < NEAR:
            break
        found = again
    chosen = [reference, *(one for _, one in nearest.values())]
    return tuple(Timed(one, *took) for one, took in zip(chosen, _each(chosen, measure), strict=True))


def _each(found: Sequence[Ruled], measure: Callable[[Sequence[Network]], Sequence[Clocked]]) -> list[Clocked]:
    """What was measured of each; equal networks are measured once."""
    distinct = {content_hash(one.network): one.network for one in found}
    measured = dict(zip(distinct, measure(list(distinct.values())), strict=True))
    return [measured[content_hash(one.network)] for one in found]


def _solved(network: Network, target: Target, macs: float, rule: str, seconds: float) -> Iterator[Ruled]:
    """The largest network of a rule in so many predicted seconds; nothing where it has none."""
    try:
        yield by_rules(network, [rule], limits={LATENCY.name: seconds, "macs": macs}, target=target)[0]
    except InputError:
        return


def _fitted(network: Network, target: Target, macs: float, seconds: float) -> Ruled:
    """Of the directions the one with the most MACs in so many predicted seconds."""
    limits, best = {LATENCY.name: seconds, "macs": macs}, None
    for direction in _directions():
        try:
            found = fit_budget(network, limits, coefficients=direction, target=target)
        except InputError:
            continue
        if best is None or count(found.network).macs > count(best.network).macs:
            best, along = found, direction
    if best is None:
        raise InputError(f"no scaling of {network.name} is that fast.")
    source = f"of {len(list(_directions()))} directions the one with the most MACs: alpha, beta, gamma " + ", ".join(
        f"{one:.3g}" for one in along
    )
    return Ruled(FITTED, source, best.phi, Factors(*best.factors), best.network)


def _along(network: Network, target: Target, seconds: float, one: Ruled) -> Ruled:
    """The network on the direction of another one; the same where it has no direction."""
    if one.phi == 0:
        return one
    direction = Coefficients(*(factor ** (1 / one.phi) for factor in one.factors))
    found = fit_budget(network, {LATENCY.name: seconds}, coefficients=direction, target=target)
    return one._replace(phi=found.phi, factors=found.factors, network=found.network)


def _directions() -> Iterator[Coefficients]:
    for depth in range(STEPS + 1):
        for width in range(STEPS + 1 - depth):
            side = STEPS - depth - width
            yield Coefficients(2 ** (depth / STEPS), 2 ** (width / (2 * STEPS)), 2 ** (side / (2 * STEPS)))
