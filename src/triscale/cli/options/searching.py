"""What the commands that search have in common: a folder of their own, and options that are a question."""

from pathlib import Path
from typing import Any, Protocol

from triscale.cli.options import sizes_and_limits
from triscale.cli.options.doubtful import Doubtful
from triscale.errors import OutputError
from triscale.lock import LOCK
from triscale.trials import RECORDS


class Asked(Protocol):
    """Options whose names are fields of a question; None, and no budget, leave a field at its default."""

    @property
    def budget(self) -> tuple[str, ...]:
        """Limits as text, such as `macs=20M`."""

    @property
    def time(self) -> str | None:
        """As text, such as `30m`."""


def question_fields(asked: Asked, net: str | None, doubtful: Doubtful, **read: object) -> dict[str, Any]:
    """The fields that the command line gives.

    Args:
        asked: the options; budget and time are read here.
        net: the baseline; None: the usual one.
        doubtful: what is done about doubtful images.
        **read: fields that the command has read itself, in place of their text.
    """
    given = {
        **vars(asked),
        **vars(doubtful),
        "network": net,
        "budget": sizes_and_limits.limits(asked.budget) or None,
        "time": None if asked.time is None else sizes_and_limits.seconds(asked.time),
        **read,
    }
    return {name: value for name, value in given.items() if value is not None}


def refuse_another_folder(out: Path, what: str) -> None:
    """Nothing spreads its files among somebody's others; a lock alone is what a study left that just began.

    Args:
        out: the folder, which need not exist.
        what: is to be written there: study, search.

    Raises:
        OutputError: it holds other files, or cannot be read.
    """
    try:
        names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    except OSError as error:
        raise OutputError(f"the folder {out} cannot be read: {error.strerror or error}. Use another --out.") from None
    if names - {LOCK} and RECORDS not in names:
        raise OutputError(f"{out} is not empty and holds no {what}; give --out a new folder, or that of a {what}.")
