"""The paper's controller: a recurrent network proposes, and PPO rewards it (Zoph et al. 2018; Tan et al. 2019)."""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator

from triscale.errors import UsageError
from triscale.search.samplers.choice_grid import Floats, Grid, Point
from triscale.search.samplers.strategy import Result

if TYPE_CHECKING:
    import torch

_DRAWN = 16
"""Points that are drawn at a time; what is left of them when the policy changes is thrown away."""


@dataclass(frozen=True, kw_only=True)
class PPO:
    """How the policy learns (Schulman et al. 2017).

    Attributes:
        batch: results for each update.
        memory: results, the last ones, against which a reward is ranked.
        epochs: steps of an update, each on the whole batch.
        rate: of Adam.
        clip: how far the probability of a point may move for its advantage to count.
        entropy: what the mean entropy of a choice weighs.
        hidden: units of the recurrent network.
    """

    batch: int = 10
    memory: int = 50
    epochs: int = 4
    rate: float = 0.02
    clip: float = 0.2
    entropy: float = 0.01
    hidden: int = 32


class Controller:
    """Points are drawn from a policy, which after each batch of results moves to those of high reward.

    The reward is the rank of the score among the last results, so that its scale does not matter; one that breaks
    constraints ranks below all that keep them, and a failed one lowest.

    Args:
        grid: where to search.
        seed: of the policy's first weights.
        ppo: how it learns.
    """

    tries = 100

    def __init__(self, grid: Grid, seed: int, *, ppo: PPO | None = None) -> None:
        from torch.optim import Adam  # noqa: PLC0415  loaded when a controller is made

        from triscale.search.samplers.policy import Policy  # noqa: PLC0415

        self._ppo = ppo or PPO()
        self._policy = Policy(grid, self._ppo.hidden, seed)
        self._adam = Adam(self._policy.parameters(), lr=self._ppo.rate)
        self._last: deque[Result] = deque(maxlen=self._ppo.memory)
        self._new, self._drawn = 0, list[Point]()

    def propose(self, number: int, rng: Generator) -> Point:
        """A point drawn from the policy."""
        import torch  # noqa: PLC0415

        del number
        if not self._drawn:
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            with torch.no_grad():
                self._drawn = [tuple(row) for row in self._policy.draw(_DRAWN, generator).tolist()]
        return self._drawn.pop()

    def learn(self, result: Result) -> None:
        """Count it; each full batch moves the policy."""
        if len(result.scores or ()) > 1:
            raise UsageError(
                "the controller maximises one score and got several.\n"
                "Make them one reward, or search with evolution, surrogate, nsga2, tpe or gp."
            )
        self._last.append(result)
        self._new += 1
        if self._new == self._ppo.batch:
            self._new, self._drawn = 0, []
            self._update()

    def _update(self) -> None:
        import torch  # noqa: PLC0415

        results = list(self._last)
        advantages = torch.from_numpy(_advantages(results)[-self._ppo.batch :]).float()
        points = torch.tensor([one.point for one in results[-self._ppo.batch :]])
        with torch.no_grad():
            before, _ = self._policy(points)
        for _ in range(self._ppo.epochs):
            self._step(points, advantages, before)

    def _step(self, points: "torch.Tensor", advantages: "torch.Tensor", before: "torch.Tensor") -> None:
        now, entropy = self._policy(points)
        ratio = (now - before).exp()
        clipped = ratio.clamp(1 - self._ppo.clip, 1 + self._ppo.clip)
        gain = (ratio * advantages).minimum(clipped * advantages)
        self._adam.zero_grad()
        (-(gain + self._ppo.entropy * entropy).mean()).backward()
        self._adam.step()


def _advantages(results: list[Result]) -> Floats:
    """For each result its rank among all, from -1 for the lowest to 1; equal ones share a rank."""
    keys = [(one.scores is not None, -one.broken, one.scores or ()) for one in results]
    below = np.array([sum(other < key for other in keys) for key in keys])
    above = np.array([sum(other > key for other in keys) for key in keys])
    ranked: Floats = (below - above) / max(1, len(keys) - 1)
    return ranked
