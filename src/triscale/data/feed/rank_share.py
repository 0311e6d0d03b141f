"""Which images of a batch, or of an evaluation, a process takes when several work on it together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Share:
    """The part of process `rank` of `of`.

    A batch is the same on any number of processes. An image lies with its mirror place in the batch, which mixup and
    CutMix mix it with, so that they too do not depend on the number.
    """

    rank: int = 0
    of: int = 1

    def places(self, n: int) -> Indices:
        """Its places in a batch of n, rising; the reverse of them are those of their mirrors."""
        first = np.array_split(np.arange(n // 2), self.of)[self.rank]
        middle = np.arange(n // 2, n - n // 2) if self.rank == self.of - 1 else first[:0]
        return np.concatenate([first, middle, n - 1 - first[::-1]])

    def turns(self, indices: Indices) -> Indices:
        """Every `of`-th of the images of an evaluation: each is counted by one process."""
        return indices[self.rank :: self.of]


WHOLE = Share()
"""A process that works alone."""
