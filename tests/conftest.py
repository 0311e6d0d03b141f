"""What holds for all tests."""

import os

import pytest

SWITCH = "TRISCALE_KERNELS"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave all to torch but in tests of modules: kernels are compiled for each cache folder, and tests make many."""
    if item.path.parent.name == "nn":
        os.environ.pop(SWITCH, None)
    else:
        os.environ[SWITCH] = "off"
