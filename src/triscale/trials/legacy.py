"""Records of triscale 0.1 as lines of today."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from triscale.errors import InputError
from triscale.trials.lines import AnyLine


def converted(path: Path, lines: Sequence[bytes]) -> Iterator[AnyLine]:
    """The lines of a file of 0.1, converted.

    Raises:
        InputError: it is no file of 0.1 either.
    """
    del lines
    raise InputError(f"{path} holds no records of triscale.")
