"""Searches of a small made-up space, by workers that end in any order."""

from collections.abc import Mapping
from functools import partial
from random import Random

from triscale.search.samplers import SAMPLERS, Asked, Make, Sampler, Value
from triscale.search.samplers.controller import PPO, Controller
from triscale.search.samplers.surrogate import Surrogate

CHOICES: Mapping[str, list[Value]] = {
    "operator": ["identity", "mbconv", "conv"],
    "kernel": [3, 5],
    "layers": [1, 2, 3, 4],
    "se": [False, True],
    "expansion": [1, 4, 6],
}

QUICK: Mapping[str, Make] = {
    **{name: SAMPLERS[name] for name in ("random", "evolution", "nsga2", "tpe")},
    "surrogate": partial(Surrogate, first=5),
    "controller": partial(Controller, ppo=PPO(batch=4, epochs=2)),
}
"""Every sampler that takes milliseconds, set so that it learns early."""


def worth(chosen: Mapping[str, Value]) -> float:
    """A score between 0 and 9 with one best point, which is not what any choice alone prefers."""
    layers, expansion = chosen["layers"], chosen["expansion"]
    assert isinstance(layers, int)
    assert isinstance(expansion, int)
    wide = expansion == 6
    score = 3.0 * (chosen["operator"] == "mbconv") + (chosen["kernel"] == 5) + (chosen["se"] is True)
    return score + (layers if not wide else 5 - layers) * (0.5 + 0.5 * wide)


def result(asked: Asked, scores: int = 1) -> tuple[float | tuple[float, ...] | None, dict[str, float]]:
    """The score, or None for every ninth trial; and one constraint, which many layers break."""
    layers = asked["layers"]
    assert isinstance(layers, int)
    if asked.number % 9 == 7:
        return None, {}
    score = worth(asked)
    return score if scores == 1 else (score, *[-float(layers)] * (scores - 1)), {"layers": layers - 3.0}


def play(search: Sampler, trials: int, *, workers: int = 1, seed: int = 0, scores: int = 1) -> list[Asked]:
    """Ask for so many trials, with so many open at a time; which one ends next is drawn."""
    ends, asked, running = Random(seed), list[Asked](), list[Asked]()
    while len(asked) < trials or running:
        while len(asked) < trials and len(running) < workers and search.ready:
            asked.append(search.ask())
            running.append(asked[-1])
        done = running.pop(ends.randrange(len(running)))
        score, broken = result(done, scores)
        search.tell(done, score, costs={"layers": 1.0}, violations=broken)
    return asked
