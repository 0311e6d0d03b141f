"""The description of the machine that goes into every record."""

import json
import os
import subprocess
import sys
from pathlib import Path

from triscale import machine as described


def test_machine_is_json_and_names_a_processor() -> None:
    """A record is JSON, and a number without a processor's name cannot be compared with anything."""
    description = described.machine()
    assert json.loads(json.dumps(description)) == description
    assert description["cpu"]
    assert 1 <= int(description["cores"] or 0) <= (os.cpu_count() or 1)


def test_describing_the_machine_loads_no_torch() -> None:
    """The version of torch is reported when it is loaded, and is no reason to load it."""
    code = "import sys; from triscale.machine import machine; print(machine()['torch'], 'torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert answer.split() == ["None", "False"]


def test_a_containers_limits_count(tmp_path: Path) -> None:
    """A container that may use one core of many is a machine with one core; the same for memory."""
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text("1048576\n")
    assert described._cores(tmp_path) == 1
    assert described._memory(tmp_path) == 1 << 20


def test_no_limit_means_the_whole_machine(tmp_path: Path) -> None:
    """`max` and an absent file both mean that there is no limit."""
    bare = (described._cores(tmp_path / "absent"), described._memory(tmp_path / "absent"))
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert (described._cores(tmp_path), described._memory(tmp_path)) == bare


def test_a_machine_without_cpuinfo_still_has_a_name(tmp_path: Path) -> None:
    """Systems without /proc fall back to what Python knows."""
    assert described._cpu(tmp_path / "absent")
