"""Ways through choices, whatever they mean: draws, neighbours, crossover, one-hot features, numbers."""

import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from triscale.search.architecture.stage_choice import Chosen, Value

Choices = Mapping[str, Sequence[Value]]


def combinations(choices: Choices) -> int:
    """How many there are."""
    return math.prod(len(values) for values in choices.values())


def combination(choices: Choices, number: int) -> dict[str, Value]:
    """Combination `number` from 0; the last choice changes first, as the last digit of a number does."""
    places = dict[str, int]()
    for name, values in list(choices.items())[::-1]:
        number, places[name] = divmod(number, len(values))
    return {name: values[places[name]] for name, values in choices.items()}


def drawn(choices: Choices, random: Random) -> dict[str, Value]:
    """One combination; each is as likely."""
    return {name: values[random.randrange(len(values))] for name, values in choices.items()}


def neighbours(choices: Choices, chosen: Chosen) -> Iterator[dict[str, Value]]:
    """Every combination that differs in one choice, in the order of the choices and their values."""
    for name, values in choices.items():
        yield from ({**chosen, name: value} for value in values if value != chosen[name])


def crossover(choices: Choices, one: Chosen, two: Chosen, random: Random) -> dict[str, Value]:
    """A child that has each choice from either parent, as likely from both."""
    return {name: (one if random.random() < 0.5 else two)[name] for name in choices}


def features(choices: Choices) -> tuple[str, ...]:
    """Names of the one-hot features, such as `stage3.kernel=5`."""
    return tuple(f"{name}={value}" for name, values in choices.items() for value in values)


def one_hot(choices: Choices, chosen: Chosen) -> tuple[int, ...]:
    """1 at each value that is chosen, 0 elsewhere, in the order of `features`."""
    return tuple(int(value == chosen[name]) for name, values in choices.items() for value in values)
