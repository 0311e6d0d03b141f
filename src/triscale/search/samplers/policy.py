"""The controller's network: a recurrent one that writes a point choice by choice."""

import torch
from torch import Tensor, nn

from triscale.search.samplers.choice_grid import Grid


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
        sizes = tuple(map(len, grid.values))
        self.starts = torch.tensor([sum(sizes[:at]) for at in range(len(sizes))])
        self.start = sum(sizes)
        self.none = torch.arange(max(sizes)) >= torch.tensor(sizes)[:, None]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Embedding(sum(sizes) + 1, hidden)
            self.cell = nn.GRU(hidden, hidden, batch_first=True)
        self.weight = nn.Parameter(torch.zeros(len(sizes), hidden, max(sizes)))
        self.bias = nn.Parameter(torch.zeros(len(sizes), max(sizes)))

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Points, drawn: indices of shape (count, choices)."""
        last = torch.full((count, 1), self.start)
        state, points = None, []
        for at, (weight, bias, none) in enumerate(zip(self.weight, self.bias, self.none, strict=True)):
            out, state = self.cell(self.embed(last), state)
            rates = (out[:, 0] @ weight + bias).masked_fill(none, -torch.inf)
            points.append(torch.multinomial(rates.softmax(1), 1, generator=generator))
            last = self.starts[at] + points[-1]
        return torch.cat(points, 1)

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """The log-probability of points and the mean entropy of a choice on the way to each, of shape (points,)."""
        values = points + self.starts
        start = torch.full((len(points), 1), self.start)
        out, _ = self.cell(self.embed(torch.cat([start, values[:, :-1]], 1)))
        rates = torch.einsum("nch,chv->ncv", out, self.weight) + self.bias
        logs = rates.masked_fill(self.none, -1e9).log_softmax(2)
        entropy = -(logs.exp() * logs).sum(2)
        return logs.gather(2, points[:, :, None])[:, :, 0].sum(1), entropy.mean(1)
