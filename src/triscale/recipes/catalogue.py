"""Recipes by name or from a file: TOML whose keys are the fields of `Recipe`, whose defaults serve what is left out."""

import tomllib
from dataclasses import fields
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

from triscale.errors import InputError, UsageError, did_you_mean
from triscale.recipes.recipe import Recipe


def recipe_names() -> tuple[str, ...]:
    """The recipes that come with triscale."""
    folder = resources.files("triscale.recipes")
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


def load_recipe(name: str | Path) -> Recipe:
    """A recipe that comes with triscale, or one in a TOML file.

    Raises:
        UsageError: no recipe of that name; the nearest are named.
        InputError: the file is missing, no TOML, or has an unknown key, a value of the wrong kind or an impossible
            combination.
    """
    if str(name).endswith(".toml"):
        return _parsed(str(name), _text(Path(name)))
    if str(name) not in recipe_names():
        near = did_you_mean(str(name), recipe_names())
        wanted = near or f"there are {', '.join(recipe_names())}, or a .toml file."
        raise UsageError(f"there is no recipe {str(name)!r}; {wanted}")
    return _parsed(str(name), (resources.files("triscale.recipes") / f"{name}.toml").read_text("utf-8"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InputError(f"the recipe {path} cannot be read: {reason}.") from None


def _parsed(name: str, text: str) -> Recipe:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the recipe {name} is not TOML: {error}.") from None
    known = {one.name: type(one.default) for one in fields(Recipe)}
    values = {key: _value(name, key, value, known) for key, value in document.items()}
    try:
        return Recipe(**values)
    except UsageError as error:
        raise InputError(f"the recipe {name}: {error}") from None


def _value(name: str, key: str, value: Any, known: dict[str, type]) -> Any:
    if key == "recompute":
        raise InputError(
            f"the recipe {name} has the key recompute, which changes no result: leave it out, and give "
            "--gradient-checkpointing."
        )
    if key not in known:
        near = get_close_matches(key, known, 1, 0.0)
        raise InputError(f"the recipe {name} has an unknown key {key!r}; the nearest is {near[0]!r}.")
    kind = known[key]
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        wanted = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}[kind]
        raise InputError(f"the recipe {name}: {key} is {value!r}; give {wanted}.")
    return value
