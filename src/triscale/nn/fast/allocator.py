"""Keeping freed memory, instead of giving each large map back and being given fresh pages for the next."""

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Parameters of glibc's `mallopt`."""


def keep_freed_memory() -> bool:
    """Let this process keep what it frees, from now on; for trainings on the CPU and for timing torch.

    glibc maps each block above 32 MiB again and gives it back when it is freed, and the system then clears every page:
    up to a third of a training step of a depthwise network. The process holds its peak until it ends, and no numbers
    change.

    Returns:
        Whether it could be done (Linux with glibc).
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    wanted = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 64 << 20))
    done: list[int] = [mallopt(parameter, value) for parameter, value in wanted]
    return all(done)
