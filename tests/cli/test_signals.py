"""Signals that ask to stop: the first is noted, the second ends the process at once."""

import subprocess
import sys

import pytest

CODE = """
import os, signal, time
from triscale.cli.signals import Wish, noted
wish = Wish()
with noted(wish):
    os.kill(os.getpid(), signal.{first})
    assert wish(), "the first one was not noted"
    print("still here", flush=True)
    os.kill(os.getpid(), signal.{second})
    time.sleep(60)
"""


@pytest.mark.parametrize(("first", "second", "code"), [("SIGTERM", "SIGTERM", 143), ("SIGINT", "SIGINT", 130)])
def test_a_second_signal_ends_the_process_at_once(first: str, second: str, code: int) -> None:
    command = [sys.executable, "-c", CODE.format(first=first, second=second)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (code, "still here\n"), done.stderr
