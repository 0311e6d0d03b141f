"""Keeping freed memory: the pages of a large map are cleared once, not each time one is made."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json
import resource
import torch
from triscale.nn import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        torch.empty(16 << 20).fill_(1.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = [faults() for _ in range(4)]
print(json.dumps([keep_freed_memory(), before, [faults() for _ in range(12)]]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_large_maps_cost_no_pages_once_there_is_room_for_them() -> None:
    """Not from the second map on: a freed block may be some bytes short of an aligned one, until two have merged."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    kept, before, after = json.loads(done.stdout)
    if not kept:
        pytest.skip("the allocator is not glibc's")
    assert min(before) > 1000
    assert max(after[-4:]) < min(before) / 10
