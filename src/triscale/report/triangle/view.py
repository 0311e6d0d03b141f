"""What the images of the triangle show of a study."""

from dataclasses import dataclass
from math import sqrt

from triscale import units
from triscale.errors import InputError
from triscale.report.study_facts import Facts
from triscale.spec import Size
from triscale.trials.surface_records import ContourRecord, PlaceRecord, SurfaceRecord
from triscale.trials.triangle_words import DIMENSIONS, scaled, times, where

_LONGEST_NAME = 34


@dataclass(frozen=True)
class View:
    """A surface with what a reader must know beside it.

    Attributes:
        surface: as recorded.
        baseline: its name.
        times: cost of the networks over the baseline's.
        chosen: id of the network that the study took.
        paper: id of the network nearest to the paper's shares; None where none stands for it.
        cost_word: what they cost alike, in a sentence.
        sizes: input of each network by its id, `(height, width)` in pixels, where the store holds it.
    """

    surface: SurfaceRecord
    baseline: str
    times: float
    chosen: str
    paper: str | None
    sizes: dict[str, Size]
    cost_word: str = "cost"

    @property
    def trained(self) -> tuple[PlaceRecord, ...]:
        """The networks that were trained, most seeds first, so that small circles lie on large ones."""
        return tuple(sorted((one for one in self.surface.places if one.n), key=lambda one: -one.n))

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Those that any of the networks scales."""
        found = {name for one in self.surface.places for name in scaled(one.shares)}
        return tuple(name for name in DIMENSIONS if name in found)

    @property
    def cost(self) -> str:
        """How the networks compare with the baseline: "twice", "4 times"."""
        return times(self.times)

    @property
    def scaled_to(self) -> str:
        """The baseline and what it was scaled to: "finenet_20 scaled to twice its cost"."""
        return f"{self.baseline} scaled to {self.cost} its {self.cost_word}"

    @property
    def name(self) -> str:
        """The baseline's name, cut where it is too long for an image."""
        return self.baseline if len(self.baseline) <= _LONGEST_NAME else f"{self.baseline[: _LONGEST_NAME - 1]}…"


def view_of(facts: Facts) -> View | None:
    """What there is to draw; None where the study rests on no surface."""
    choice, plan = facts.choice, facts.plan
    if choice is None or choice.surface is None or plan is None:
        return None
    paper = next((one.id for one in plan.candidates if one.lattice == "paper"), None)
    sizes = {one.id: size for one in choice.surface.places if (size := _size(facts, one.id)) is not None}
    name = facts.network(plan.baseline.id).name
    return View(choice.surface, name, plan.target, choice.chosen, paper, sizes, facts.cost_word)


def _size(facts: Facts, id_: str) -> Size | None:
    """The input of a network; a store need not hold those that were never trained."""
    try:
        return facts.network(id_).resolution
    except InputError:
        return None


def radius(seeds: int) -> float:
    """Of the circle of a network, whose area grows with its seeds."""
    return min(0.8 + 3.2 * sqrt(seeds), 9.5)


def described(one: PlaceRecord) -> str:
    """A network in one line, for the pointer: its shares, what was measured and what is expected."""
    parts = ", ".join(f"{name} {100 * getattr(one.shares, name):.0f} %" for name in DIMENSIONS)
    seen = f"{units.counted(one.n, 'seed')}, mean {units.percent(one.mean)}; " if one.n else ""
    return f"{where(one.shares)} ({parts}): {seen}expected {units.percent(one.expected)} ({units.span(one.interval)})"


def upper(one: ContourRecord) -> float:
    """The upper end of the 95% interval of the smooth part."""
    return one.expected + 1.96 * one.sd


def lower(one: ContourRecord) -> float:
    """The lower end of it."""
    return one.expected - 1.96 * one.sd
