"""One erratum: what is said where, what is true, and how anybody can check it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Literal

from triscale import scaling
from triscale.costs import count

ErratumSource = Literal["paper", "articles", "ports"]
"""Who errs: the paper (against its own code, or a count), articles about it, or other implementations and releases."""

Numbers = Mapping[str, float]


def no_numbers() -> Numbers:
    """For an erratum about words."""
    return {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Erratum:
    """A wrong or misleading figure in print.

    Attributes:
        id: a short name, unique.
        kind: who errs.
        where: the places that say it.
        says: what they say, in our words.
        true: what is true, with a `{name}` for every number that is computed.
        check: commands that show it, as typed in a shell.
        numbers: computes the numbers, from our own counts and rules.
    """

    id: str
    kind: ErratumSource
    where: str
    says: str
    true: str
    check: tuple[str, ...]
    numbers: Callable[[], Numbers] = no_numbers

    @property
    def truth(self) -> str:
        """What is true, with its numbers."""
        return self.true.format(**self.numbers())

    @property
    def figures(self) -> tuple[str, ...]:
        """The computed numbers as `truth` shows them."""
        known = self.numbers()
        parts = Formatter().parse(self.true)
        return tuple(format(known[name], form or "") for _, name, form, _ in parts if name)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "id": self.id,
            "kind": self.kind,
            "where": self.where,
            "says": self.says,
            "truth": self.truth,
            "check": list(self.check),
            "numbers": dict(self.numbers()),
        }


def giga(name: str) -> float:
    """Counted MACs of a registered or scaled name, in 10^9."""
    return count(scaling.network(name)).macs / 1e9


def mega(name: str) -> float:
    """Counted params of a registered or scaled name, in 10^6."""
    return count(scaling.network(name)).params / 1e6


def python(code: str) -> str:
    """A check in Python, as typed in a shell; the code has no double quotes."""
    return f'python -c "{code}"'
