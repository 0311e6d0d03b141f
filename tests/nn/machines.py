"""Machines that are simulated: what a way truly takes, and what load and noise make of a measurement."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

from triscale.nn.fast.contest import STOCK
from triscale.nn.fast.machine_load import IDLE, Load

CROWD = Load(others=2.0, waiting=0.5, cores=2, threads=2)
"""As many other programs as there are cores."""

Loaded = Callable[[int, random.Random], bool]
"""Whether others compute during the measurement of that number."""


@dataclass
class Machine:
    """Takes the place of the clock.

    Attributes:
        seconds: what each way takes in quiet, by name.
        loaded: when others compute; the stock way, which goes through more memory, then slows down more.
        spikes: how often a measurement takes up to ten times as long, for whatever reason.
        drift: by how much of its speed the machine slows down from one measurement to the next.
        seen: whether `load` tells of others, as a system that counts their time does.
        noise: standard deviation of a measurement, relative.
    """

    seconds: Mapping[str, float]
    draw: random.Random
    loaded: Loaded = lambda _, __: False
    spikes: float = 0.0
    drift: float = 0.0
    seen: bool = True
    noise: float = 0.03
    bias: float = 1.6
    _number: "count[int]" = field(default_factory=count)
    _crowded: bool = False

    def measure(self, name: str, subject: Callable[[], object]) -> float:
        """What the clock would say; nothing is run."""
        del subject
        number = next(self._number)
        self._crowded = self.loaded(number, self.draw)
        found = self.seconds[name] * (1 + self.drift) ** number * self.draw.lognormvariate(0, self.noise)
        if self._crowded:
            found *= 1.3 * (self.bias if name == STOCK else 1.0)
        if self.draw.random() < self.spikes:
            found *= self.draw.uniform(1, 10)
        return found

    def load(self) -> Load:
        """Of the last measurement."""
        return CROWD if self._crowded and self.seen else IDLE
