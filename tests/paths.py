"""Where the tests find what is not in the repository."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def real_data(name: str) -> Path:
    """The folder `name` of real images, or a loud skip of the calling test where it is absent."""
    folder = Path(os.environ.get("TRISCALE_TEST_DATA", ROOT.parent / "shared" / "data")) / name
    if not folder.exists():
        pytest.skip(f"real images {name!r} are absent: set TRISCALE_TEST_DATA to the folder that holds them")
    return folder
