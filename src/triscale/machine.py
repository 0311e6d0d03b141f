"""What a number was measured on, for the records: no host name, no user, nothing that is loaded only to be described."""

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
    # sched_getaffinity exists on Linux only; os.cpu_count() counts cores that a container may not use.
    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    quota, period = (*_limit(cgroup / "cpu.max"), None, None)[:2]
    return allowed if quota is None or not period else min(allowed, max(1, math.ceil(quota / period)))


def _memory(cgroup: Path = _CGROUP) -> int | None:
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
    limit = (*_limit(cgroup / "memory.max"), None)[0]
    return physical if limit is None else min(physical, limit)


def _limit(path: Path) -> list[int | None]:
    """Read the numbers of a control group's limit file; `max`, which means no limit, is None."""
    try:
        return [int(word) if word.isdecimal() else None for word in path.read_text(encoding="ascii").split()]
    except OSError:
        return []
