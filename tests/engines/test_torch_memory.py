"""torch's networks run in memory that the process keeps, so that times do not depend on what ran before."""

import platform
import subprocess
import sys

import pytest

RUNS = """
import resource
from dataclasses import replace
import numpy as np
from triscale.costs import Target
from triscale.engines import engine_named
from triscale.families import network

net = replace(network("mobilenet_v2"), resolution=(192, 192))
opened = engine_named("torch").open(net, Target())
images = np.zeros((1, 3, 192, 192), np.float32)
for _ in range(3):
    opened.run(images)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    opened.run(images)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone has such an allocator")
def test_a_step_of_torch_asks_the_system_for_no_page() -> None:
    """Five steps of a network whose maps are megabytes; as glibc comes it is thousands of pages."""
    found = subprocess.run([sys.executable, "-W", "ignore", "-c", RUNS], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 100
