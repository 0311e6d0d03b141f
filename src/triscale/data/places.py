"""Folders that are no data set: the root of a file system, a home, the system's own."""

from pathlib import Path

from triscale.errors import InputError

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
