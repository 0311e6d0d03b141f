"""What a number was measured on, for the records: no host name, no user, nothing loaded only to be described."""

import math
import os
import platform
import sys
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def machine() -> dict[str, str | int | None]:
    """Describe this machine as this process may use it.

    Returns:
        `cpu` (model name), `cores` (those this process may run on, a container's quota included), `memory` (bytes, a
        container's limit included; None where the system does not say), `platform`, `python`, and `torch` (the version
        if something has imported it already, else None: describing a machine must not take two seconds).
    """
    torch = sys.modules.get("torch")
    return {
        "cpu": _cpu(),
        "cores": _cores(),
        "memory": _memory(),
        "platform": platform.platform(terse=True),
        "python": platform.python_version(),
        "torch": None if torch is None else str(getattr(torch, "__version__", None)),
    }


def _cpu(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.lower().startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()


def _cores(cgroup: Path = _CGROUP) -> int:
    # sched_getaffinity exists on Linux only; os.cpu_count() counts cores that this process may not use.
    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    match _words(cgroup / "cpu.max"):
        case [quota, period] if quota.isdecimal():
            return max(1, min(allowed, math.ceil(int(quota) / int(period))))
    return allowed


def _memory(cgroup: Path = _CGROUP) -> int | None:
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
    match _words(cgroup / "memory.max"):
        case [limit] if limit.isdecimal():
            return min(physical, int(limit))
    return physical


def _words(path: Path) -> list[str]:
    """Read a control group's limit file: its words, or none where there is no such file (`max` means no limit)."""
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []
