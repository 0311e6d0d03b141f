"""What the values of each kind of choice make of a stage: the only place that knows the kinds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import get_args

from triscale.errors import InputError
from triscale.search.architecture.space_document import KINDS, OperatorFields, SpaceDocument, StageChoices
from triscale.search.architecture.stage_choice import Change, Choice, Value
from triscale.spec import Activation, FieldError, Network, Operator, SqueezeExcite, Stage
from triscale.spec.fields import require_choice, require_integer, require_number, require_odd
from triscale.spec.network import MAX_CHANNELS, MAX_REPEATS
from triscale.spec.rounding import round_channels

MAX_KERNEL, EXPANDS, FACTORS = 31, (0.01, 64.0), (0.01, 64.0)
"""Largest side of a kernel; least and largest expand ratio (as a spec has them) and factor of channels."""

_OF_SOME_OPERATORS: dict[str, object] = {
    "expand": 1.0, "expand_of": None, "groups": 1, "reduce": 1.0, "shortcut_kernel": 1, "cell": None,
}  # fmt: skip
"""Fields of a stage that only some operators have, with what they are in the others."""
_ALIKE: tuple[tuple[Operator, ...], ...] = (("mbconv", "fused_mbconv"), ("bottleneck", "preactivation"))
"""Operators whose expand ratio means the same."""
_NEUTRAL = {"channel_factor": 1.0, "layers": 0.0}
"""Of two values that come to the same, the one nearer to this is kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ground:
    """A stage of the base, and what its choices refer to."""

    network: Network
    stage: Stage
    words: Mapping[str, OperatorFields | None]


def check_words(document: SpaceDocument, base: Network) -> None:
    """FieldError where a word for an operator means no stage, whether it is used or not."""
    ground = _Ground(network=base, stage=base.stages[0], words=document.operators)
    for word, meant in document.operators.items():
        if meant is not None:
            try:
                _meaning(ground, meant)
            except FieldError as error:
                raise error.within(f"operators.{word}") from None


def stage_choices(document: SpaceDocument, base: Network, number: int) -> tuple[Choice, ...]:
    """The choices of one stage of the base, counted from 1, in the order of the kinds.

    Raises:
        InputError: a value that no stage takes, or values that a spec rejects together.
    """
    ground = _Ground(network=base, stage=base.stages[number - 1], words=document.operators)
    own = {kind: place for place, one in enumerate(document.stages) if one.stage == number for kind in _given(one)}
    choices = []
    for kind in KINDS:
        path = f"stages[{own[kind]}]" if kind in own else "every_stage"
        values = getattr(document.stages[own[kind]] if kind in own else document.every_stage, kind)
        if values:
            try:
                choice = _choice(ground, number, kind, values, strict=kind in own)
            except FieldError as error:
                raise error.within(path) from None
            if choice.values:  # none, where the stage can take none of those of every stage
                choices.append(choice)
    _refuse_overlap(choices)
    _refuse_interplay(ground.stage, choices)
    return tuple(choices)


def _given(one: StageChoices) -> Iterator[str]:
    return (kind for kind in KINDS if getattr(one, kind) is not None)


def _choice(ground: _Ground, number: int, kind: str, values: Sequence[Value], *, strict: bool) -> Choice:
    """The choice among values that differ; `strict`: one that the stage cannot take, or that repeats, is wrong."""
    made = [(value, _KINDS[kind](ground, value)) for value in values]
    kept = dict[Value, Change | None]()
    for value, change in sorted(made, key=lambda one: _distance(kind, one[0])):
        if change is not _IMPOSSIBLE and change not in kept.values():
            kept[value] = change
        elif strict or value in kept:
            raise FieldError(kind, value, f"values that stage {number} can take, each with another result")
    values = tuple(value for value in values if value in kept)
    changes = _completed(ground.stage, [kept[value] for value in values])
    if len({*changes}) < len(changes):
        raise FieldError(kind, list(values), "values with different results")
    return Choice(stage=number, kind=kind, values=values, changes=changes)


def _distance(kind: str, value: Value) -> float:
    return abs(float(value or 0) - _NEUTRAL[kind]) if kind in _NEUTRAL else 0.0


def _completed(stage: Stage, changes: Sequence[Change | None]) -> tuple[Change | None, ...]:
    """The changes, each with all fields that any of them sets."""
    fields = list(dict.fromkeys(field for change in changes for field, _ in change or ()))
    plain = {field: getattr(stage, field) for field in fields}
    return tuple(None if change is None else tuple({**plain, **dict(change)}.items()) for change in changes)


def _refuse_overlap(choices: Sequence[Choice]) -> None:
    """InputError where two choices decide one field, or a stage that may be left out has other choices."""
    by_field = dict[str, Choice]()
    for choice in choices:
        if None in choice.changes and len(choices) > 1:
            raise InputError(
                f"stage {choice.stage} may be left out, so that its other choices would mean nothing there: "
                f"put them into the words of `operators`, or let every word of {choice.name} be an operator."
            )
        for field in sorted(_made(choice)):
            if field in by_field:
                first, second = by_field[field].name, choice.name
                raise InputError(f"{first} and {second} both decide {field}: leave one of them out.")
            by_field[field] = choice


def _refuse_interplay(stage: Stage, choices: Sequence[Choice]) -> None:
    """InputError where a spec rejects a value beside an operator, such as a squeeze-excite that the operator lacks."""
    for one in choices:
        varied = [range(len(each.values)) if each is one or each.kind == "operator" else (0,) for each in choices]
        for places in product(*varied):
            _require_stage(stage, [(each, each.values[place]) for each, place in zip(choices, places, strict=True)])


def _require_stage(stage: Stage, taken: Sequence[tuple[Choice, Value]]) -> None:
    changes = [one.changes[one.place(value)] for one, value in taken]
    if None in changes:
        return
    try:
        altered(stage, *(change for change in changes if change is not None))
    except FieldError as error:
        fields = {"operator", error.path.partition(".")[0]}
        words = ", ".join(f"{one.name} {value}" for one, value in taken if fields & {one.kind, *_made(one)})
        raise InputError(f"these do not go together: {words}:\n{error}.") from None


def _made(choice: Choice) -> set[str]:
    """The fields that a choice decides."""
    return {field for change in choice.changes for field, _ in change or ()}


def altered(stage: Stage, *changes: Change) -> Stage:
    """The stage with the changes made to it."""
    return _altered(stage, tuple(pair for change in changes for pair in change))


@lru_cache(maxsize=1 << 14)
def _altered(stage: Stage, change: Change) -> Stage:
    """A space has few distinct stages, so that a search need not check each again."""
    fields = dict(change)
    return replace(stage, **fields)  # type: ignore[arg-type]


# --- the kinds

_IMPOSSIBLE: Change = (("", None),)
"""The stage cannot take this value."""


def _operator(ground: _Ground, value: Value) -> Change | None:
    words = {word: OperatorFields(operator=word) for word in get_args(Operator)} | dict(ground.words)
    require_choice("operator", value, words)
    meant = words[str(value)]
    if meant is None:
        return None if ground.stage.stride == 1 else _IMPOSSIBLE
    return _meaning(ground, meant)


def _meaning(ground: _Ground, meant: OperatorFields) -> Change:
    """What a word for an operator makes of a stage."""
    require_choice("operator", meant.operator, get_args(Operator))
    made = dict[str, object](operator=meant.operator)
    made |= _dropped(ground.stage, meant.operator)
    for kind in ("kernel", "expand", "squeeze_excite", "skip", "activation"):
        if (given := getattr(meant, kind)) is not None:
            made |= dict(_KINDS[kind](ground, given) or ())
    return tuple(made.items())


def _dropped(stage: Stage, operator: str) -> dict[str, object]:
    """Fields of the base's operator that another one does not have, as they are there."""
    if operator == stage.operator:
        return {}
    kept = ("expand", "expand_of") if any({operator, stage.operator} <= {*some} for some in _ALIKE) else ()
    return {
        field: plain
        for field, plain in _OF_SOME_OPERATORS.items()
        if field not in kept and getattr(stage, field) != plain
    }


def _kernel(_: _Ground, value: Value) -> Change:
    require_odd("kernel", value, MAX_KERNEL)
    return (("kernel", value),)


def _expand(_: _Ground, value: Value) -> Change:
    require_number("expand", value, *EXPANDS)
    return (("expand", value),)


def _squeeze_excite(ground: _Ground, value: Value) -> Change:
    if value == 0:
        return (("squeeze_excite", None),)
    try:
        squeezed = replace(ground.stage.squeeze_excite or SqueezeExcite(), ratio=float(value or 0))
    except FieldError as error:
        raise FieldError("squeeze_excite", value, f"0 for none, or {error.allowed}") from None
    return (("squeeze_excite", squeezed),)


def _skip(_: _Ground, value: Value) -> Change:
    return (("skip", value),)


def _activation(_: _Ground, value: Value) -> Change:
    require_choice("activation", value, (None, *get_args(Activation)))
    return (("activation", value),)


def _channel_factor(ground: _Ground, value: Value) -> Change:
    require_number("channel_factor", value, *FACTORS)
    base, network = ground.stage.channels, ground.network
    wanted = base * float(value or 0)
    channels = base if value == 1 else round_channels(wanted, network.channel_divisor, network.channel_floor)
    return (("channels", channels),)


def _channels(_: _Ground, value: Value) -> Change:
    require_integer("channels", value, 1, MAX_CHANNELS)
    return (("channels", value),)


def _layers(ground: _Ground, value: Value) -> Change:
    require_integer("layers", value, -MAX_REPEATS, MAX_REPEATS)
    repeats = ground.stage.repeats + int(value or 0)
    return (("repeats", repeats),) if 1 <= repeats <= MAX_REPEATS else _IMPOSSIBLE


def _repeats(_: _Ground, value: Value) -> Change:
    require_integer("repeats", value, 1, MAX_REPEATS)
    return (("repeats", value),)


_KINDS: dict[str, Callable[[_Ground, Value], Change | None]] = {
    "operator": _operator,
    "kernel": _kernel,
    "expand": _expand,
    "squeeze_excite": _squeeze_excite,
    "skip": _skip,
    "activation": _activation,
    "channel_factor": _channel_factor,
    "channels": _channels,
    "layers": _layers,
    "repeats": _repeats,
}
