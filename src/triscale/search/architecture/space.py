"""A search space: a base network and what may be chosen for its stages; choices become a network and are read back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random

import msgspec

from triscale.errors import InputError
from triscale.search.architecture import variation
from triscale.search.architecture.space_document import SpaceDocument
from triscale.search.architecture.stage_changes import altered, check_words, stage_choices
from triscale.search.architecture.stage_choice import Change, Choice, Chosen, Value
from triscale.spec import FieldError, Network, Stage, diff

MOST_LETTERS = 100
"""Of the name of a space."""
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """Networks around a base, as data; `space_around` makes one.

    Attributes:
        document: what it was made from; its base is left to `base`.
        base: the network around which it lies; all but its stages is the same in every network of the space.
        parts: the choices, stage by stage.
        choices: name of a choice -> its values, in the order of `parts`: all that a sampler needs to know.
    """

    document: SpaceDocument
    base: Network
    parts: tuple[Choice, ...]
    choices: Mapping[str, tuple[Value, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", {part.name: part.values for part in self.parts})

    @property
    def name(self) -> str:
        """What people call it."""
        return self.document.name

    @property
    def size(self) -> int:
        """How many combinations there are: as many networks, unless stages may be left out."""
        return variation.combinations(self.choices)

    def network(self, chosen: Chosen) -> Network:
        """The network of a value for each choice, named after the space and its number there in base 36.

        Raises:
            InputError: a choice without a value, a value that is not of the space, or no stage that is left.
        """
        places = self._places(chosen)
        stages = tuple(stage for stage in self._stages(places) if stage)
        if not stages:
            raise InputError(f"these choices leave no stage of {self.base.name}.")
        return replace(self.base, name=f"{self.name}_{_base36(self._number(places))}", stages=stages)

    def chosen(self, network: Network) -> dict[str, Value]:
        """The values that give a network, whatever its name; where several do, the first ones.

        Raises:
            InputError: it is not in the space; the message says where it differs.
        """
        bare = replace(network, name=self.base.name, stages=self.base.stages)
        if bare != self.base:
            raise InputError(f"{network.name} is not in the space {self.name}: {diff(self.base, bare)[0]}.")
        found = self._aligned(0, network.stages, set())
        if found is None:
            raise InputError(f"{network.name} is not in the space {self.name}: {self._foreign(network.stages)}.")
        return found

    def number(self, chosen: Chosen) -> int:
        """The number of a combination, from 0 to `size` - 1; InputError where it is none."""
        return self._number(self._places(chosen))

    def combination(self, number: int) -> dict[str, Value]:
        """The combination of a number; InputError where there is none."""
        if not 0 <= number < self.size:
            raise FieldError("number", number, f"an integer from 0 to {self.size - 1}")
        return variation.combination(self.choices, number)

    def neighbours(self, chosen: Chosen) -> Iterator[dict[str, Value]]:
        """Every combination that differs in one choice."""
        return variation.neighbours(self.choices, chosen)

    def crossover(self, one: Chosen, two: Chosen, random: Random) -> dict[str, Value]:
        """A child that has each choice from either parent, as likely from both."""
        return variation.crossover(self.choices, one, two, random)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the one-hot features, such as `stage3.kernel=5`."""
        return variation.features(self.choices)

    def one_hot(self, chosen: Chosen) -> tuple[int, ...]:
        """1 at each value that is chosen, 0 elsewhere, in the order of `features`."""
        return variation.one_hot(self.choices, chosen)

    def _of(self, stage: int) -> list[Choice]:
        return [part for part in self.parts if part.stage == stage]

    def _places(self, chosen: Chosen) -> tuple[int, ...]:
        """The place of each choice's value among its values."""
        if unknown := [name for name in chosen if name not in self.choices]:
            raise FieldError(unknown[0], chosen[unknown[0]], f"a choice of the space {self.name}")
        for name, values in self.choices.items():
            if name not in chosen:
                raise FieldError(name, None, f"a value of the choice: {', '.join(map(str, values))}")
        return tuple(part.place(chosen[part.name]) for part in self.parts)

    def _number(self, places: tuple[int, ...]) -> int:
        number = 0
        for part, place in zip(self.parts, places, strict=True):
            number = number * len(part.values) + place
        return number

    def _stages(self, places: tuple[int, ...]) -> Iterator[Stage | None]:
        """What becomes of each stage of the base; None: it is left out."""
        made = list[Change | None]([()] * len(self.base.stages))
        for part, place in zip(self.parts, places, strict=True):
            change, before = part.changes[place], made[part.stage - 1]
            made[part.stage - 1] = None if change is None or before is None else (*before, *change)
        for stage, change in zip(self.base.stages, made, strict=True):
            yield None if change is None else altered(stage, change)

    def _aligned(self, place: int, stages: tuple[Stage, ...], failed: set[tuple[int, int]]) -> dict[str, Value] | None:
        """The values of all stages from `place` on that give `stages`, if any do; `failed`: places that were tried."""
        if place == len(self.base.stages):
            return None if stages else {}
        if (place, len(stages)) not in failed:
            for values, rest in self._firsts(place, stages):
                if (later := self._aligned(place + 1, rest, failed)) is not None:
                    return values | later
        failed.add((place, len(stages)))
        return None

    def _firsts(self, place: int, stages: tuple[Stage, ...]) -> Iterator[tuple[dict[str, Value], tuple[Stage, ...]]]:
        """The ways in which a stage may be left out, or be the first of `stages`; each with what then remains."""
        for part in self._of(place + 1):
            yield from (({part.name: v}, stages) for v, c in zip(part.values, part.changes, strict=True) if c is None)
        if stages:
            try:
                yield self._read(place, stages[0]), stages[1:]
            except FieldError:
                return

    def _read(self, place: int, stage: Stage) -> dict[str, Value]:
        """The values by which a stage of the base becomes `stage`; FieldError names a field that none gives."""
        parts = self._of(place + 1)
        values = {part.name: part.read(stage) for part in parts}
        made = altered(self.base.stages[place], *(part.changes[part.place(values[part.name])] or () for part in parts))
        for one in Stage.__dataclass_fields__:
            if getattr(made, one) != getattr(stage, one):
                raise FieldError(one, getattr(stage, one), f"{getattr(made, one)}, as in {self.base.name}")
        return values

    def _foreign(self, stages: tuple[Stage, ...]) -> str:
        """What is not of the space in these stages."""
        if len(stages) == len(self.base.stages):
            for place, stage in enumerate(stages):
                try:
                    self._read(place, stage)
                except FieldError as error:
                    return str(error.within(f"stages[{place}]"))
        return f"its {len(stages)} stages are not those of {self.base.name} under any choices"


def space_around(document: SpaceDocument, base: Network) -> Space:
    """The space of a document around a base.

    Raises:
        InputError: a value that no stage takes, values that do not go together, or a stage that the base lacks; the
            message names the field, its value and what is allowed.
    """
    if not 1 <= len(document.name) <= MOST_LETTERS or not document.name.isprintable():
        raise FieldError("name", document.name, f"1 to {MOST_LETTERS} printable characters")
    check_words(document, base)
    taken = set[int]()
    for place, one in enumerate(document.stages):
        if not 1 <= one.stage <= len(base.stages) or one.stage in taken:
            last = len(base.stages)
            raise FieldError(f"stages[{place}].stage", one.stage, f"1 to {last} ({base.name}), each once")
        taken.add(one.stage)
    numbers = range(1, len(base.stages) + 1)
    parts = tuple(choice for number in numbers for choice in stage_choices(document, base, number))
    if not parts:
        raise FieldError("every_stage", None, "values to choose from, here or in `stages`")
    return Space(document=msgspec.structs.replace(document, base=None), base=base, parts=parts)


def _base36(number: int) -> str:
    digits = ""
    while number or not digits:
        number, last = divmod(number, 36)
        digits = _DIGITS[last] + digits
    return digits
