"""What holds for all tests: threads, the cache folder, how long a property may take, how many workers there are."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from triscale.machine import machine

SWITCH = "TRISCALE_KERNELS"
_MOST_WORKERS = 4
"""Each loads torch, and some tests take a gigabyte."""

# One thread a process, before anything imports torch: two workers share two cores. A test that needs more asks for it;
# its threads then wait without turning, which would take the core from the other worker.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# On top of hypothesis' own profile: how long an example takes depends on what else runs, and is no claim.
settings.register_profile("loaded", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("loaded")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means: one worker a core that this process may use, a container's quota included."""
    cores = machine()["cores"]
    assert isinstance(cores, int)
    return min(cores, _MOST_WORKERS)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave all to torch but in tests of modules: kernels are compiled for each cache folder, and tests make many."""
    if item.path.is_relative_to(item.config.rootpath / "tests" / "nn"):
        os.environ.pop(SWITCH, None)
    else:
        os.environ[SWITCH] = "off"


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Rendered images, kernels and plans of each worker stay in a folder of its own, never in the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRISCALE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
