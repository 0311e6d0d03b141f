"""From an import path to a callable, and from a callable to its path. This is the only place that imports foreign code.

Importing runs whatever the module holds, so it happens only for a path that the user wrote.
"""

import difflib
from collections.abc import Callable
from functools import reduce
from importlib import import_module
from typing import cast

from triscale.errors import InputError

Foreign = Callable[..., object]
_MOST = 200
"""Characters of somebody else's message that ours shows."""


def callable_at(path: str) -> Foreign:
    """The callable at `module:name`, whose module is imported; `name` may have dots.

    Raises:
        InputError: the module is `__main__`, cannot be imported, or has no such callable.
    """
    module_name, _, name = path.partition(":")
    if module_name == "__main__":
        raise InputError(movable(name))
    try:
        found = reduce(getattr, name.split("."), _imported(module_name))
    except AttributeError:
        raise InputError(_missing(module_name, name)) from None
    if not callable(found):
        raise InputError(f"{path} is a {type(found).__name__} and cannot be called; name a function or class.")
    return cast("Foreign", found)


def path_of(function: Foreign) -> str:
    """The import path of a callable.

    Raises:
        InputError: it cannot be imported by other processes: from a notebook or script, a lambda, inside a function.
    """
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if module == "__main__" and isinstance(name, str):
        raise InputError(movable(name))
    if not isinstance(module, str) or not isinstance(name, str) or "<" in name:
        raise InputError(f"{function!r} has no import path.\nDefine it at the top of a module, such as my_models.py.")
    return f"{module}:{name}"


def movable(name: str) -> str:
    """What to do about a callable that only a notebook or script has."""
    plain = name.split(".", maxsplit=1)[0]
    return (
        f"{plain} is defined in a notebook or script (__main__), which other processes cannot import.\n"
        f"Move it into a file beside it, such as my_models.py, and name it my_models:{plain}."
    )


def first_line(error: BaseException) -> str:
    """Type and first line of an error, printable and short."""
    lines = str(error).splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    text = "".join(sign if sign.isprintable() else "?" for sign in text)
    return text if len(text) <= _MOST else f"{text[:_MOST]}..."


def _imported(module: str) -> object:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            inside = "" if module == error.name else f", so {module} cannot be imported"
            raise InputError(
                f"there is no module {error.name}{inside}.\n"
                "Run from the folder that holds it, or install its package (pip install -e FOLDER)."
            ) from None
        raise InputError(f"importing {module} failed: {first_line(error)}") from error
    except (Exception, SystemExit) as error:
        raise InputError(f"importing {module} failed: {first_line(error)}") from error


def _missing(module: str, name: str) -> str:
    near = difflib.get_close_matches(name, dir(import_module(module)), 1)
    return f"the module {module} has no {name}" + (f"; did you mean {module}:{near[0]}?" if near else ".")
