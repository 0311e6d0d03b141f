"""What a search maximises: the paper's reward, a Pareto front, accuracy under limits."""

from triscale.search.objectives.domination import crowding, dominates, fronts, hypervolume
from triscale.search.objectives.objective import Accuracy, Front, Objective
from triscale.search.objectives.reward import WEIGHT, Reward, weight_in, weight_of

__all__ = [
    "WEIGHT", "Accuracy", "Front", "Objective", "Reward", "crowding", "dominates", "fronts", "hypervolume",
    "weight_in", "weight_of",
]  # fmt: skip
