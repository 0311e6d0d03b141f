"""Where torch computes: the device and the threads."""

import re
from itertools import chain

import torch
from torch import nn

from triscale.errors import InputError, UsageError

_DEVICE = re.compile(r"(cpu|mps|cuda)(?::([0-9]{1,4}))?", re.ASCII)


def place(device: str | None = None, threads: int | None = None) -> torch.device:
    """The device to compute on, known to be there; sets the threads of this process where they are given.

    Args:
        device: `cpu`, `cuda`, `cuda:1` or `mps`; by default the first CUDA GPU if there is one, else the CPU.
        threads: threads of arithmetic on the CPU; by default as many as torch chooses.

    Raises:
        UsageError: no such kind of device, or fewer threads than 1.
        InputError: the device is not there.
    """
    if threads is not None and threads < 1:
        raise UsageError(f"threads is {threads}; give at least 1.")
    there = devices()
    if device is None:
        device = "cuda" if "cuda:0" in there else "cpu"
    found = _DEVICE.fullmatch(device.lower())
    if found is None:
        raise UsageError(f"unknown device {device!r}; give cpu, cuda, cuda:1 or mps.")
    kind, index = found[1], int(found[2] or 0)
    exact = f"{kind}:{index}" if kind == "cuda" or index else kind
    if exact not in there:
        raise InputError(f"there is no device {device} here; there is {', '.join(map(_described, there))}.")
    if threads is not None:
        torch.set_num_threads(threads)
    return torch.device(exact)


def devices() -> list[str]:
    """What this process can compute on, the CPU first."""
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return ["cpu", *mps, *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]


def device_name(device: torch.device | str) -> str | None:
    """The name of a GPU, such as `NVIDIA H200`; None for all other devices."""
    device = torch.device(device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None


def device_of(model: nn.Module) -> torch.device:
    """Where the weights of a model lie; of one without any, the CPU."""
    found = next(chain(model.parameters(), model.buffers()), None)
    return torch.device("cpu") if found is None else found.device


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has done all that it was given; a time measured without it is the time of asking."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _described(device: str) -> str:
    name = device_name(device)
    return f"{device} ({name})" if name else device
