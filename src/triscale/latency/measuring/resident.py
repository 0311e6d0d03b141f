"""Memory of this process, as the system counts it: bytes that are resident now, and at most so far."""

import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def resident_bytes(status: Path = _STATUS) -> int | None:
    """Bytes that are resident now; None where the system does not say."""
    return _field("VmRSS", status)


def peak_bytes(status: Path = _STATUS) -> int | None:
    """The most bytes that were resident at once; None where the system does not say.

    Where there is no /proc, the system counts for the whole life of the process, as here, in its own unit.
    """
    found = _field("VmHWM", status)
    if found is not None or sys.platform == "win32":
        return found
    import resource  # noqa: PLC0415  not on every system

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _field(name: str, status: Path) -> int | None:
    try:
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    values = (line.split()[1] for line in lines if line.startswith(f"{name}:"))
    value = next(values, None)
    return None if value is None else int(value) * 1024
