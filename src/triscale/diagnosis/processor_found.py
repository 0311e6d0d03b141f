"""The processor, its instruction sets and the limits on cores, threads and memory."""

import os
from collections.abc import Iterator

from triscale.diagnosis.finding import Finding
from triscale.machine import LIMITS, bfloat16_is_fast, convolution_isa, cores, free_memory, machine, threads
from triscale.units import counted, memory

_LITTLE_MEMORY = 2 * 2**30


def processor() -> Iterator[Finding]:
    """What computes, by which instructions, on how many cores, in how much memory."""
    here = machine()
    known = str(here["isa"] or "the system does not say")
    yield Finding(topic="processor", name="cpu", found=str(here["cpu"]))
    yield Finding(topic="processor", name="instructions", found=known or "none of AVX2, AVX-512, bf16, AMX")
    yield _torch_instructions(here["torch_isa"], here["isa_limits"])
    yield _cores()
    yield _threads()
    yield _memory(here["memory"])


def _torch_instructions(taken: object, limits: object) -> Finding:
    convolutions = convolution_isa() or "not known"
    fast = {True: "fast", False: "emulated, slower than float32", None: "speed not known"}[bfloat16_is_fast()]
    found = f"{taken or 'not known'}; convolutions (oneDNN): {convolutions}; bfloat16: {fast}"
    if limits:
        advice = f"unset {', '.join(name for name in LIMITS if os.environ.get(name))} to use all of the processor"
        return Finding(
            topic="processor", name="torch uses", found=f"{found}; held back by {limits}", state="slow", advice=advice
        )
    return Finding(topic="processor", name="torch uses", found=found)


def _cores() -> Finding:
    usable, all_of_them = cores(), os.cpu_count() or 1
    limit = "" if usable >= all_of_them else f" of {all_of_them} (a container or an affinity limits this process)"
    return Finding(topic="processor", name="cores", found=f"{usable}{limit}")


def _threads() -> Finding:
    number, usable, variable = threads(), cores(), os.environ.get("OMP_NUM_THREADS")
    found = counted(number, "thread") + (f" (OMP_NUM_THREADS={variable})" if variable else "")
    if number <= usable:
        return Finding(topic="processor", name="threads", found=found)
    return Finding(
        topic="processor", name="threads", found=f"{found} on {counted(usable, 'core')}: they wait for each other",
        state="slow", advice=f"set OMP_NUM_THREADS={usable}, or give --threads {usable}",
    )  # fmt: skip


def _memory(total: object) -> Finding:
    free = free_memory()
    parts = [memory(total) if isinstance(total, int) else "size not known"]
    parts += [] if free is None else [f"{memory(free)} free"]
    if free is None or free >= _LITTLE_MEMORY:
        return Finding(topic="processor", name="memory", found=", ".join(parts))
    advice = "train with a smaller --batch or --batch auto, or run fewer trainings at a time (--jobs)"
    return Finding(topic="processor", name="memory", found=", ".join(parts), state="slow", advice=advice)
