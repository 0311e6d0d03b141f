"""One choice of a search space: the values that a stage may take, and what each makes of the stage."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from triscale.spec import FieldError, Stage

Value = str | int | float | bool | None
Chosen = Mapping[str, Value]
"""Name of a choice -> the value taken."""
Change = tuple[tuple[str, object], ...]
"""Fields of a stage with what they become."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What may be chosen for one stage.

    Attributes:
        stage: which one, counted from 1.
        kind: what is chosen, such as `kernel`.
        values: that may be taken, in the order of the space.
        changes: what each value makes of the base's stage; all set the same fields. None: it leaves the stage out.
        name: such as `stage3.kernel`.
    """

    stage: int
    kind: str
    values: tuple[Value, ...]
    changes: tuple[Change | None, ...]
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"stage{self.stage}.{self.kind}")

    def place(self, value: Value) -> int:
        """Where a value stands among `values`; FieldError where it does not. True is not 1."""
        for place, known in enumerate(self.values):
            if known == value and isinstance(known, bool) == isinstance(value, bool):
                return place
        raise FieldError(self.name, value, ", ".join(map(str, self.values)))

    def read(self, stage: Stage) -> Value:
        """The value that gives a stage its fields; FieldError where none does."""
        for value, change in zip(self.values, self.changes, strict=True):
            if change is not None and all(getattr(stage, one) == made for one, made in change):
                return value
        made = [dict(change) for change in self.changes if change is not None]
        if len(made[0]) == 1:
            (field_name,) = made[0]
            raise FieldError(field_name, getattr(stage, field_name), ", ".join(str(one[field_name]) for one in made))
        found = {one: getattr(stage, one) for one in made[0]}
        raise FieldError(self.kind, found, f"the fields of {', '.join(map(str, self.values))}")
