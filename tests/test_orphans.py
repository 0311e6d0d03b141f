"""Worker processes end with their parent."""

import select
import subprocess
import sys

import pytest

CODE = """
import os, signal, time
from triscale.orphans import end_with
parent = os.getpid()
if os.fork() == 0:
    while {early} and os.getppid() == parent:
        time.sleep(0.01)
    end_with(parent)
    time.sleep(60)
time.sleep(0.3)
os.kill(parent, signal.SIGKILL)
"""


@pytest.mark.parametrize("early", [True, False])
def test_a_worker_ends_soon_after_its_parent_was_killed_even_while_the_worker_began(*, early: bool) -> None:
    """The pipe to the worker closes when the last process that has it is gone."""
    with subprocess.Popen([sys.executable, "-c", CODE.format(early=early)], stdout=subprocess.PIPE) as parent:
        assert parent.wait() == -9
        assert parent.stdout is not None
        assert select.select([parent.stdout], [], [], 5)[0], "the worker is still there"
