"""Ways of choosing the next trial, behind ask and tell: they see choices and results, and know of no networks."""

from triscale.search.samplers.ask_tell import Asked, Sampler
from triscale.search.samplers.choice_grid import Choices, Grid, Point, Value
from triscale.search.samplers.evolution import Evolution
from triscale.search.samplers.sampler_names import SAMPLERS, sampler
from triscale.search.samplers.strategy import Make, Result, Strategy

__all__ = [
    "SAMPLERS", "Asked", "Choices", "Evolution", "Grid", "Make", "Point", "Result", "Sampler", "Strategy", "Value",
    "sampler",
]  # fmt: skip
