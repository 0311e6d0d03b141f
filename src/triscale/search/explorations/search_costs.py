"""What the networks of a search cost: which metrics count, what they are of, and which limits hold."""

from collections.abc import Mapping
from dataclasses import dataclass

from triscale.costs import Target, Values
from triscale.latency.latency_metric import is_clocked
from triscale.latency.limited_on import limited_on
from triscale.recipes import Recipe
from triscale.search.architecture import Budget, Value, budget
from triscale.search.architecture.space import Space
from triscale.search.explorations.search_question import SearchQuestion
from triscale.search.objectives import Objective
from triscale.search.trainings.recipe_target import recipe_target
from triscale.spec import Network
from triscale.trials import Numerics


@dataclass(frozen=True, kw_only=True)
class SearchCosts:
    """The costs of a search; `search_costs` makes them.

    Attributes:
        target: what they are of: the trainings of the search, beside the engine that the question names.
        objective: what is maximised, and the limits.
        budget: the limits; None without.
        values: of the metrics on the target; what was measured once is kept.
    """

    target: Target
    objective: Objective
    budget: Budget | None
    values: Values

    @property
    def axes(self) -> tuple[str, ...]:
        """The costs of the front beside accuracy: those of the objective; where it has none, MACs."""
        return self.objective.goal.metrics or ("macs",)

    @property
    def is_clocked(self) -> bool:
        """Whether latency is among them, so that the finalists are measured."""
        return is_clocked(self.objective.metrics)

    def of(self, network: Network) -> dict[str, float]:
        """Of the front, of the objective and of the budget, by name."""
        return self.values.of(network, dict.fromkeys((*self.axes, *self.objective.metrics)))

    def keeps(self, space: Space, chosen: Mapping[str, Value]) -> bool:
        """Whether the network of these choices keeps the budget."""
        return self.budget is None or self.budget.keeps(space.network(chosen))


def check_target(question: SearchQuestion) -> None:
    """Find what is wrong with the target before any image is read.

    Raises:
        UsageError: see `limited_on`.
        InputError: latency counts, and the target is not calibrated on this machine.
    """
    names = question.to_objective({}).metrics
    limited_on(names, question.target)


def search_costs(question: SearchQuestion, baseline: Network, recipe: Recipe, numerics: Numerics) -> SearchCosts:
    """The costs of the networks that a question asks about.

    Args:
        question: of the search.
        baseline: where the question leaves the target of the reward open, it is the cost of this network.
        recipe: of all trainings, with nothing left open.
        numerics: on what each of them computes.

    Raises:
        UsageError, InputError: a metric that the target cannot give, or limits that contradict each other.
    """
    names = question.to_objective({}).metrics
    training = recipe_target(names, recipe, threads=numerics.threads, device=numerics.device)
    target = limited_on(names, question.target, training)
    limits = budget(question.budget, target=target) if question.budget else None
    values = Values(target) if limits is None else limits.values
    objective = question.to_objective(values.of(baseline, names))
    return SearchCosts(target=target, objective=objective, budget=limits, values=values)
