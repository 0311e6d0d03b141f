"""The folder of a study or a search: nobody else's."""

from pathlib import Path

from triscale.errors import OutputError
from triscale.lock import LOCK
from triscale.trials import RECORDS


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
