"""Limits on any registered metrics, and the networks of a space that keep them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf, isfinite
from random import Random
from typing import NamedTuple

from triscale.costs import ANYWHERE, Target, Values, metric_named, read_limit
from triscale.errors import InputError, UsageError
from triscale.scaling.limit import limit_on
from triscale.search.architecture import variation
from triscale.search.architecture.space import Space
from triscale.search.architecture.stage_choice import Chosen, Value
from triscale.spec import Network

Limit = float | str
TRIES, BEFORE_DOUBT = 1_000, 100
"""Combinations that are drawn before a budget counts as too narrow, and before we look whether any is inside."""


class Bounds(NamedTuple):
    """The least and the most that a cost may be."""

    least: float = 0.0
    most: float = inf

    def excess(self, cost: float) -> float:
        """How far outside a cost lies, as a fraction of the bound; 0 inside, and exactly at a bound."""
        return max(cost / self.most - 1, 1 - cost / self.least if self.least else 0.0, 0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What the costs of a network may be on a target; `budget` makes one.

    Attributes:
        bounds: by the name of the metric, the counted ones first.
        values: costs on the target; what was measured once is kept.
    """

    bounds: Mapping[str, Bounds]
    values: Values = field(compare=False)

    def costs(self, network: Network) -> dict[str, float]:
        """The limited costs of a network; the errors of the metrics are not caught."""
        return self.values.of(network, self.bounds)

    def excess(self, network: Network) -> float:
        """The sum of what each cost is outside, as fractions; 0 inside, infinite where a network has no such cost.

        Metrics that are measured are not evaluated for a network that breaks the counted bounds.
        """
        outside = 0.0
        try:
            for name, bounds in self.bounds.items():
                if outside and not metric_named(name).counted:
                    break
                outside += bounds.excess(self.values.of(network, (name,))[name])
        except InputError:
            return inf
        return outside

    def keeps(self, network: Network) -> bool:
        """Whether a network is inside."""
        return self.excess(network) == 0

    def text(self, costs: Mapping[str, float]) -> str:
        """Costs as people read them, such as `macs 385,814,752, params 5,288,548`."""
        return ", ".join(f"{name} {metric_named(name).unit.exact(cost)}" for name, cost in costs.items())

    def wider(self, costs: Mapping[str, float]) -> str:
        """Limits that such costs keep, as people type them, such as `macs=390M or more`."""
        found = []
        for name, bounds in self.bounds.items():
            if costs[name] > bounds.most:
                found.append(limit_on(name, bounds.most).kept(name, costs[name]))
            elif costs[name] < bounds.least:
                found.append(replace(limit_on(name, bounds.least), at_least=True).kept(name, costs[name]))
        return " and ".join(found)

    def __str__(self) -> str:
        """Such as `macs at most 400,000,000`."""
        words = []
        for name, bounds in self.bounds.items():
            exact = metric_named(name).unit.exact
            words += [f"{name} at least {exact(bounds.least)}"] if bounds.least else []
            words += [f"{name} at most {exact(bounds.most)}"] if bounds.most < inf else []
        return ", ".join(words)


def budget(
    limits: Mapping[str, Limit], *, at_least: Mapping[str, Limit] | None = None, target: Target = ANYWHERE
) -> Budget:
    """The budget of limits by the name of a metric.

    Args:
        limits: the most that each cost may be; the least of a metric of which more is better. Numbers, or text in the
            metric's unit such as `400M`.
        at_least: the least that costs may be, for networks of about equal cost.
        target: what the metrics are of.

    Raises:
        UsageError: no limit, an unknown metric, a limit that is not a finite number above 0, or limits that contradict
            each other.
    """
    least, most = dict[str, float](), dict[str, float]()
    for name, limit in limits.items():
        (least if metric_named(name, "limit").at_least else most)[name] = _read(name, limit)
    for name, limit in (at_least or {}).items():
        least[name] = max(least.get(name, 0.0), _read(name, limit))
    if not least and not most:
        raise UsageError("no limit given: write macs=400M, params=5M or another.")
    for name in least.keys() & most.keys():
        if least[name] > most[name]:
            low, high = (metric_named(name).unit.exact(one[name]) for one in (least, most))
            raise UsageError(
                f"the limits contradict each other: {name} at least {low} and at most {high}.\n"
                "No network keeps both: give a least that is below the most."
            )
    names = sorted({**most, **least}, key=lambda name: not metric_named(name).counted)
    bounds = {name: Bounds(least.get(name, 0.0), most.get(name, inf)) for name in names}
    return Budget(bounds=bounds, values=Values(target))


def _read(name: str, limit: Limit) -> float:
    value = read_limit(name, limit)
    if not (isfinite(value) and value > 0):
        raise UsageError(f"the limit {name} is {limit!r}; give a finite number above 0.")
    return value


def sample(space: Space, random: Random, within: Budget | None = None, tries: int = TRIES) -> dict[str, Value]:
    """A combination of a space inside a budget; each that is inside is as likely.

    Args:
        space: where to draw.
        random: drawn from; equal states give equal combinations.
        within: None: any network will do.
        tries: combinations that are drawn until one is inside.

    Raises:
        InputError: none was; the message names the nearest network and its cost.
    """
    best, least = space.combination(0), inf
    if within is None:
        return variation.drawn(space.choices, random)
    for tried in range(tries):
        chosen = variation.drawn(space.choices, random)
        excess = within.excess(space.network(chosen))
        if excess == 0:
            return chosen
        best, least = (chosen, excess) if excess < least else (best, least)
        if tried + 1 == BEFORE_DOUBT:  # else an empty space would take all tries
            best = nearest(space, within, best)
            least = within.excess(space.network(best))
            if least:
                break
    raise InputError(_nothing_inside(space, within, nearest(space, within, best), tries))


def nearest(space: Space, within: Budget, start: Chosen) -> dict[str, Value]:
    """A combination from which no single change comes nearer to the budget, reached from `start`; inside, or not."""
    here, excess, before = dict(start), within.excess(space.network(start)), inf
    while excess and excess < before:
        before = excess
        for name, values in space.choices.items():
            for value in values:
                other = {**here, name: value}
                if (there := within.excess(space.network(other))) < excess:
                    here, excess = other, there
    return here


def _nothing_inside(space: Space, within: Budget, found: Chosen, tries: int) -> str:
    network = space.network(found)
    try:
        costs = within.text(within.costs(network))
    except InputError as error:  # not of this network alone: no network was near
        return f"no network of the space {space.name} has the costs that the budget limits: {error}"
    if within.keeps(network):
        return (
            f"of {tries:,} random networks of the space {space.name} none keeps {within};\n"
            f"{network.name} does ({costs}). Widen the limits, or take a space around a network of that cost."
        )
    return (
        f"no network of the space {space.name} keeps {within}:\n"
        f"the nearest is {network.name} with {costs}.\n"
        f"Give {within.wider(within.costs(network))}, or take a space around a network nearer to the limits."
    )
