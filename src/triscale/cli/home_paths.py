"""Paths on the command line: `~` means the home folder wherever a path may stand."""

import re
from pathlib import Path

_FROM_HOME = re.compile(r"(--?[\w-]+=)?(\w+:)?(~.*)", re.DOTALL)
"""`~/x` by itself, as the value of an option, and behind the name of a data set; a shell expands only the first."""


def from_home(argument: str) -> str:
    """An argument with its path from the home folder written out; any other is left as it is."""
    found = _FROM_HOME.fullmatch(argument)
    if found is None:
        return argument
    option, kind, path = found.groups("")
    home, slash, rest = path.partition("/")
    try:
        return f"{option}{kind}{Path(home).expanduser()}{slash}{rest}"
    except RuntimeError:  # no such user
        return argument
