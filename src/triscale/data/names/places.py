"""Places on disk: the images that a path, a folder or a pattern means, and folders that are not data set."""

from collections.abc import Iterator
from pathlib import Path

from triscale.data.names.litter import is_ignored, is_litter
from triscale.errors import InputError, UsageError

_GLOB = frozenset("*?[")

_SYSTEM = frozenset(
    Path(name)
    for name in (
        *("/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/opt", "/proc", "/root", "/run", "/sbin"),
        *("/sys", "/usr", "/var", "/Applications", "/Library", "/System", "/Users", "/Volumes", "/private"),
        *("C:/Program Files", "C:/Users", "C:/Windows"),
    )
)


def refuse_no_data_set(folder: Path) -> None:
    """Stop before every file of a machine is read.

    Raises:
        InputError: the folder is the root of a file system, a home, or one of the system.
    """
    try:
        place = folder.resolve()
        home = Path.home().resolve()
    except (OSError, RuntimeError):  # a link to itself, or nobody's home: who opens it says so
        return
    what = (
        "the root of the file system" if place == place.parent
        else "your home folder" if place == home
        else "a folder of the system" if place in _SYSTEM
        else None
    )  # fmt: skip
    if what is not None:
        raise InputError(
            f"{str(folder)!r} is {what}, not a data set.\nGive the folder that holds the class folders themselves."
        )


def picture_files(image: str | Path) -> Iterator[Path]:
    """The files that a text means: itself, what lies below a folder, or what a pattern such as `a/**/*.jpg` matches.

    Hidden files and litter of folders and patterns are left out.

    Raises:
        UsageError: the pattern cannot be read.
        InputError: nothing there, or a folder that nobody means: see `refuse_no_data_set`.
    """
    path = Path(image)
    if path.is_dir():
        refuse_no_data_set(path)
        found = [file for file in sorted(path.rglob("*")) if file.is_file()]
    elif _GLOB & set(str(image)) and not path.exists():
        found = [file for file in _matches(path) if not file.is_dir()]
    else:
        yield path
        return
    found = [file for file in found if not _ignored(path, file)]
    if not found:
        raise InputError(f"no image at {str(image)!r}.")
    yield from found


def _ignored(given: Path, file: Path) -> bool:
    """Whether the file is hidden or litter, or lies in such a folder; a name in the argument itself is not a reason."""
    hidden = any(part.startswith(".") and part.strip(".") for part in given.parts)
    ignored = is_litter if hidden else is_ignored
    return any(ignored(part) for part in file.parts if part not in given.parts)


def _matches(pattern: Path) -> list[Path]:
    try:
        return sorted(Path(pattern.anchor or ".").glob(str(pattern.relative_to(pattern.anchor))))
    except ValueError as error:  # such as `photos/**.jpg` for Python 3.11
        raise UsageError(f"cannot read the pattern {str(pattern)!r}: {error}.") from None
