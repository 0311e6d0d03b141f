"""What a number was measured on, for the records: no host name, no user, nothing loaded only to be described."""

import math
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Literal

Isa = Literal["generic", "avx2", "avx512"]
"""An instruction set that our compiled kernels can be held to."""

ISA = "TRISCALE_ISA"
"""A variable of the environment: the instruction set of our compiled kernels, instead of all the processor has."""

LIMITS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", ISA)
"""Variables of the environment that hold torch, oneDNN and our kernels to a part of the processor."""

_AVX2 = frozenset({"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"})
_AVX512 = _AVX2 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
NEEDS: dict[Isa, frozenset[str]] = {"generic": frozenset(), "avx2": _AVX2, "avx512": _AVX512}
"""The flags, as Linux names them, that a processor must have: levels v3 and v4 of the x86-64 psABI."""

_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}
_WITHOUT_BFLOAT16 = {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"}
"""Flags of bf16 arithmetic (Intel and AMD, ARM); limits of oneDNN under which it has none."""

_AMX_LEVEL = 4
_ONEDNN_LEVELS = {
    "SSE41": 0, "AVX": 1, "AVX2": 2, "AVX2_VNNI": 2, "AVX2_VNNI_2": 2, "AVX512_CORE": 3, "AVX512_CORE_VNNI": 3,
    "AVX512_CORE_BF16": 3, "AVX512_CORE_FP16": 3, "AVX10_1_512": 3,
}  # fmt: skip
"""Limits of oneDNN below matrix instructions (AMX), by how much they allow."""

PROC, CGROUP, TOPOLOGY = Path("/proc"), Path("/sys/fs/cgroup"), Path("/sys/devices/system/cpu")
_MEMORY_FILES = ("memory.max", "memory.limit_in_bytes")
"""Of control groups of version 2 and 1."""


def machine() -> dict[str, str | int | None]:
    """Describe this machine as this process may use it.

    Returns:
        `cpu` (model name), `isa` (which of avx2, avx512, bf16 and amx the processor has; None where the system does not
        say), `torch_isa` (what torch takes, if something has imported it), `isa_limits` (the variables of the
        environment that hold torch or our kernels to less, or None), `cores` (those this process may run on, a
        container's quota included), `memory` (bytes, a container's limit included; None where the system does not
        say), `platform`, `python`, and `torch` (the version if something has imported it already, else None: describing
        a machine must not take two seconds).
    """
    torch = sys.modules.get("torch")
    return {
        "cpu": _cpu(),
        "isa": _isa(features()),
        "torch_isa": None if torch is None else str(torch.backends.cpu.get_cpu_capability()),
        "isa_limits": " ".join(f"{name}={os.environ[name]}" for name in LIMITS if os.environ.get(name)) or None,
        "cores": cores(),
        "memory": _memory(),
        "platform": platform.platform(terse=True),
        "python": platform.python_version(),
        "torch": None if torch is None else str(getattr(torch, "__version__", None)),
    }


def features(proc: Path = PROC) -> frozenset[str]:
    """What the processor can do, in the words of Linux; nothing where the system does not say."""
    lines = _lines(proc / "cpuinfo")
    flags = (line.partition(":")[2] for line in lines if line.lower().startswith(("flags", "features")))
    return frozenset(next(flags, "").split())


def bfloat16_is_fast(proc: Path = PROC) -> bool | None:
    """Whether torch computes in bf16 by instructions of the processor; None where the system does not say."""
    known = features(proc)
    if not known:
        return None
    limits = {os.environ.get(name, "").upper() for name in LIMITS if name.endswith("MAX_CPU_ISA")}
    return bool(known & _BFLOAT16) and not limits & _WITHOUT_BFLOAT16


def convolution_isa(proc: Path = PROC) -> str | None:
    """The instruction set that oneDNN takes in torch: `amx`, `avx512`, `avx2`; None: another, or not known."""
    known = features(proc)
    limits = [os.environ.get(name, "").upper() for name in LIMITS if name.endswith("MAX_CPU_ISA")]
    most = min((_ONEDNN_LEVELS.get(limit, _AMX_LEVEL) for limit in limits if limit), default=_AMX_LEVEL)
    if known & {"avx_ne_convert", "asimd"}:
        return None
    has = (("amx", 4, "amx_bf16" in known), ("avx512", 3, known >= _AVX512), ("avx2", 2, known >= _AVX2))
    return next((name for name, level, there in has if there and level <= most), None)


def threads() -> int:
    """Threads of arithmetic: torch's if something has imported it, else one a core."""
    torch = sys.modules.get("torch")
    return cores() if torch is None else int(torch.get_num_threads())


def _isa(known: frozenset[str]) -> str | None:
    """Names of what counts for speed."""
    if not known:
        return None
    has = {
        "avx2": known >= _AVX2,
        "avx512": known >= _AVX512,
        "bf16": bool(known & _BFLOAT16),
        "amx": "amx_tile" in known,
    }
    return " ".join(name for name, there in has.items() if there)


def _cpu(cpuinfo: Path = PROC / "cpuinfo") -> str:
    lines = _lines(cpuinfo)
    models = (line.partition(":")[2].strip() for line in lines if line.lower().startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()


def cores(cgroup: Path = CGROUP, proc: Path = PROC) -> int:
    """How many cores this process may keep busy: those that it may run on, less where a control group has a quota.

    Containers, batch systems and systemd set quotas as control groups, of version 1 or 2, on any level above a process.
    A part of a core counts as a whole one.
    """
    folders = _groups("cpu", cgroup, proc)
    quotas = [math.ceil(quota) for folder in folders for quota in (_quota(folder),) if quota is not None]
    return max(1, min([len(allowed_cores()), *quotas]))


def allowed_cores() -> frozenset[int]:
    """The numbers of the cores that this process may run on, whatever its share of their time is."""
    # sched_getaffinity exists on Linux only; os.cpu_count() counts cores that this process may not use.
    return frozenset(os.sched_getaffinity(0) if sys.platform == "linux" else range(os.cpu_count() or 1))


def pin(numbers: Iterable[int]) -> bool:
    """Hold the calling thread, and those that it starts from now on, to some cores; False where that cannot be."""
    # sched_setaffinity exists on Linux only.
    if sys.platform != "linux":
        return False
    try:
        os.sched_setaffinity(0, numbers)
    except OSError:
        return False
    return True


def separate_cores(count: int, topology: Path = TOPOLOGY) -> tuple[int, ...]:
    """The numbers of some cores that this process may use: one of each physical core, before their siblings.

    Fewer than `count` where there are fewer.
    """
    allowed = sorted(allowed_cores())
    first: dict[str, int] = {}
    for core in allowed:
        siblings = _words(topology / f"cpu{core}" / "topology" / "thread_siblings_list")
        first.setdefault(siblings[0] if siblings else str(core), core)
    physical = list(first.values())
    return tuple([*physical, *(core for core in allowed if core not in physical)][:count])


def free_memory(cgroup: Path = CGROUP, proc: Path = PROC) -> int | None:
    """Bytes that new processes can take, as the system estimates; None where it does not say."""
    rows = (line.split() for line in _lines(proc / "meminfo"))
    free = next((1024 * int(row[1]) for row in rows if row[:1] == ["MemAvailable:"]), None)
    limit = _memory(cgroup, proc)
    return free if limit is None or free is None else min(free, limit)


def _memory(cgroup: Path = CGROUP, proc: Path = PROC) -> int | None:
    try:
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
    files = [folder / name for folder in _groups("memory", cgroup, proc) for name in _MEMORY_FILES]
    return min([physical, *(int(words[0]) for words in map(_words, files) if _are_numbers(words, 1))])


def _groups(controller: str, cgroup: Path, proc: Path) -> list[Path]:
    """Where the limits of this process's control groups may stand: of both versions, its own group's and all above."""
    rows = (line.split(":", 2) for line in _lines(proc / "self" / "cgroup"))
    # Version 2 names no controllers. A container may see its own group as the root, under the host's name for it.
    own = [PurePosixPath(row[2]) for row in rows if len(row) == 3 and controller in (row[1] or controller).split(",")]
    above = {PurePosixPath("/"), *own, *(parent for path in own for parent in path.parents)}
    return [base / path.relative_to("/") for base in (cgroup, cgroup / controller) for path in sorted(above)]


def _quota(folder: Path) -> float | None:
    """Cores that a control group may keep busy; None where there is no limit or no such group."""
    words = _words(folder / "cpu.max") or [*_words(folder / "cpu.cfs_quota_us"), *_words(folder / "cpu.cfs_period_us")]
    return int(words[0]) / int(words[1]) if _are_numbers(words, 2) else None


def _are_numbers(words: list[str], count: int) -> bool:
    """Whether these are so many numbers above 0: `max` and `-1` mean no limit."""
    return len(words) == count and all(word.isdecimal() and int(word) for word in words)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _words(path: Path) -> list[str]:
    """Read a control group's limit file: its words, or none where there is no such file (`max` means no limit)."""
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []
