"""The controller's network: a recurrent one that writes a point choice by choice."""

import torch
from torch import Tensor, nn

from triscale.search.samplers.grid import Grid


class Policy(nn.Module):
    """A GRU whose input is the value chosen last and whose output, one linear layer a choice, rates the next values.

    It begins with equal rates: the last layers are zero.

    Args:
        grid: the choices.
        hidden: units of the GRU and of the embedding of a value.
        seed: of the initial weights; the global generator of torch stays as it is.
    """

    def __init__(self, grid: Grid, hidden: int, seed: int) -> None:
        super().__init__()
        self.sizes = tuple(map(len, grid.values))
        self.starts = tuple(sum(self.sizes[:at]) for at in range(len(self.sizes)))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(sum(self.sizes) + 1, hidden)
            self.cell = nn.GRU(hidden, hidden, batch_first=True)
            self.rate = nn.Linear(hidden, sum(self.sizes))
        nn.init.zeros_(self.rate.weight)
        nn.init.zeros_(self.rate.bias)

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Points, drawn: indices of shape (count, choices)."""
        last = torch.full((count, 1), sum(self.sizes))
        state, points = None, []
        for at, start in enumerate(self.starts):
            out, state = self.cell(self.embed(last), state)
            rates = self.rate(out[:, 0])[:, start : start + self.sizes[at]]
            chosen = torch.multinomial(rates.softmax(1), 1, generator=generator)
            points.append(chosen)
            last = start + chosen
        return torch.cat(points, 1)

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """The log-probability of points and the mean entropy of a choice on the way to each, of shape (points,)."""
        values = points + torch.tensor(self.starts)
        start = torch.full((len(points), 1), sum(self.sizes))
        out, _ = self.cell(self.embed(torch.cat([start, values[:, :-1]], 1)))
        rates = self.rate(out)
        logs = [
            rates[:, at, first : first + size].log_softmax(1)
            for at, (first, size) in enumerate(zip(self.starts, self.sizes, strict=True))
        ]
        chosen = torch.stack([log.gather(1, points[:, at : at + 1])[:, 0] for at, log in enumerate(logs)], 1)
        entropy = torch.stack([-(log.exp() * log).sum(1) for log in logs], 1)
        return chosen.sum(1), entropy.mean(1)
