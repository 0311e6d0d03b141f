"""Foreign networks on the command line: their code comes from the working folder, or is installed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path


@contextmanager
def foreign_code() -> Iterator[None]:
    """Let code of the working folder be imported, as `python -m` does; what it prints goes to stderr.

    The folder comes last, so that a file in it hides no module that is installed.
    """
    here = str(Path.cwd())
    if not {here, ""} & set(sys.path):
        sys.path.append(here)
    with redirect_stdout(sys.stderr):
        yield
