"""Options that are given by name in Python: whether there are such, and whether their values are of the right type."""

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from numbers import Integral, Real
from os import PathLike
from typing import Any, get_args

from triscale.errors import UsageError
from triscale.trials import Keep

_WHOLE = frozenset(
    {
        *("epochs", "batch", "train_size", "seed", "split_seed", "seeds", "candidates"),
        *("jobs", "threads", "loader_workers"),
        *("trials", "lag", "finalists", "final_epochs"),
    }
)
_NUMBERS = frozenset({"phi", "tolerance", "save_every", "exponent"})
_FLAGS = frozenset(
    {
        *("allow_pth", "kernels", "gradient_checkpointing"),
        *("strict", "allow_empty", "follow_links", "download", "allow_truncated"),
        "no_comparison",
    }
)
_WORDS = frozenset({"sampler", "objective", "cost", "worth", "space", "format", "rule", "target", "engine"})
_FORMER = {
    "training": {"workers": "loader_workers", "recompute": "gradient_checkpointing"},
    "study": {"workers": "jobs", "network": "baseline"},
    "search": {"baseline": "network", "workers": "jobs"},
    "fit": {"baseline": "network", "kind": "format"},
}


def checked(what: str, given: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    """The options of a `training`, `study`, `search` or `fit`: fields of the dataclass `kind`, each of a fitting type.

    Raises:
        UsageError: an unknown name, or a value of another type.
    """
    known = {one.name: one.default for one in fields(kind) if (what, one.name) != ("study", "network")}
    for name in given:
        if name not in known:
            near = _FORMER[what].get(name) or next(iter(get_close_matches(name, known, 1)), None)
            raise UsageError(f"a {what} has no option {name!r}" + (f"; did you mean {near!r}?" if near else "."))
    return {
        name: value if value is None and known[name] is None else typed(name, value, auto=what == "training")
        for name, value in given.items()
    }


def typed(name: str, value: Any, *, auto: bool = False) -> Any:
    """The value of an option as Python's own number where it is one; `auto` is a batch where it may be.

    Raises:
        UsageError: it is of another type, or none of the choices.
    """
    if name in _WHOLE and not (auto and name == "batch" and value == "auto"):
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise UsageError(f"{name} is {value!r}; give a whole number.")
        return int(value)
    if name in _NUMBERS and (isinstance(value, bool) or not isinstance(value, Real)):
        raise UsageError(f"{name} is {value!r}; give a number.")
    if name == "save_every" and not value > 0:
        raise UsageError(f"save_every is {value}; give seconds above 0.")
    if name in _FLAGS and not isinstance(value, bool):
        raise UsageError(f"{name} is {value!r}; give True or False.")
    if name in _WORDS and not isinstance(value, str):
        raise UsageError(f"{name} is {value!r}; give a text.")
    if name == "keep" and value not in get_args(Keep):
        raise UsageError(f"keep is {value!r}; give {', '.join(get_args(Keep))}.")
    if name == "out" and not isinstance(value, str | PathLike):
        raise UsageError(f"out is {value!r}; give the path of a folder.")
    return value
