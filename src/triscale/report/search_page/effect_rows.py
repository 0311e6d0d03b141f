"""What choices are worth, in rows for a figure or a table."""

from collections.abc import Sequence
from typing import NamedTuple

from triscale.trials.searches.worth_records import EffectRecord, EffectsRecord, Value

MOST = 40
"""Rows of a figure that can be read."""


class EffectRow(NamedTuple):
    """An effect that is known, with its interval."""

    label: str
    n: int
    effect: float
    interval: tuple[float, float]

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.interval[0] > 0 or self.interval[1] < 0


def strongest(effects: EffectsRecord) -> list[EffectRow]:
    """The values of the choices that differ most, whole choices in the order of their spread, at most about 40 rows."""
    groups: dict[str, list[EffectRow]] = {}
    for one in effects.effects:
        row = _row(one)
        if row is not None:
            groups.setdefault(one.choice, []).append(row)
    found: list[EffectRow] = []
    for group in sorted(groups.values(), key=_spread, reverse=True):
        if found and len(found) + len(group) > MOST:
            break
        found += group
    return found


def value_text(value: Value) -> str:
    """A value as people read it."""
    if isinstance(value, bool | None):
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _row(one: EffectRecord) -> EffectRow | None:
    if one.effect is None or one.interval is None:
        return None
    return EffectRow(f"{one.choice} = {value_text(one.value)}", one.n, one.effect, one.interval)


def _spread(group: Sequence[EffectRow]) -> float:
    return max(one.effect for one in group) - min(one.effect for one in group)
