"""`fit_budget`: the budget solver applied to a network's counted costs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from triscale.cost import count_resolved, inference_memory, training_memory
from triscale.errors import UsageError
from triscale.scaling.budget import Fit, fill, fit
from triscale.scaling.rules import PAPER, Coefficients, Factors, factors, scale_by_rule
from triscale.scaling.shorten import scale_shortly, short_phi
from triscale.spec import Network, Resolved, resolve, scale

Memory = Callable[[Network | Resolved, int], int]
"""(network, batch) -> bytes."""

LIMITS = ("macs", "params", "activations", "inference_memory", "training_memory")


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetFit:
    """The largest network on a rule's curve inside a budget.

    Attributes:
        network: the answer, named after its place on the curve, by the shortest phi that gives it.
        phi, factors: that place.
        fit: slack, binding limits and the next notch.
        unused: fraction of the tightest binding limit that the rounding leaves unused.
    """

    network: Network
    phi: float
    factors: Factors
    fit: Fit
    unused: float


def fit_budget(
    network: Network,
    limits: Mapping[str, float],
    *,
    rule: str = "compound",
    coefficients: Coefficients = PAPER,
    batch: int = 1,
    filled: bool = False,
    trained_in: Memory = training_memory,
    inferred_in: Memory = inference_memory,
) -> BudgetFit:
    """The largest network on the curve of `rule` whose counted, rounded cost keeps every limit.

    Args:
        network: the baseline; the answer may be larger or smaller.
        limits: `macs`, `params`, `activations` (of one picture), `inference_memory`, `training_memory` (bytes).
        rule, coefficients: see `factors`.
        batch: pictures a step, for the memory limits.
        filled: spend what rounding leaves on the largest resolution, then width, that still fit.
        trained_in, inferred_in: what the limits `training_memory` and `inference_memory` are held against.

    Raises:
        UsageError: an unknown or senseless limit.
        InputError: the budget cannot be reached.
    """
    for name in limits:
        if name not in LIMITS:
            raise UsageError(f"unknown limit {name!r}; the limits are {', '.join(LIMITS)}.")
    memory = {"training_memory": trained_in, "inference_memory": inferred_in}
    cost_of = partial(_cost, network, {name: one for name, one in memory.items() if name in limits}, batch)
    found = fit(partial(factors, rule, coefficients=coefficients), cost_of, limits)
    if filled:
        found = fill(found, cost_of, limits, max(network.resolution))
    if found.left_rule == (1.0, 1.0):
        scaled = scale_by_rule(network, rule, short_phi(network, rule, found.phi, coefficients), coefficients)
    else:
        scaled = scale_shortly(network, found.factors)
    return BudgetFit(network=scaled, phi=found.phi, factors=found.factors, fit=found, unused=found.unused(limits))


def _cost(network: Network, memory: Mapping[str, Memory], batch: int, where: Factors) -> dict[str, float]:
    """The counted costs; memory only where it is limited, since it takes longer."""
    scaled = scale(network, **where._asdict())
    resolved = resolve(scaled)
    found: dict[str, float] = dict(count_resolved(resolved)._asdict())
    return found | {name: takes(resolved, batch) for name, takes in memory.items()}
