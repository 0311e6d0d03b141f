"""The C++ compiler, and whether it builds our kernels for this processor."""

import subprocess
from collections.abc import Iterator

from triscale import compiler
from triscale.compiler import Unavailable
from triscale.diagnosis.finding import Finding
from triscale.diagnosis.torch_found import torch_works
from triscale.isa import wanted_isa


def compiled_kernels() -> Iterator[Finding]:
    """The compiler with its version; then our kernels are built with it, or taken from the cache, and loaded."""
    try:
        tools = compiler.toolchain(wanted_isa())
    except Unavailable as error:
        found = f"{error}; training uses torch alone, and `native` inference is not available"
        yield Finding(topic="kernels", name="compiler", found=found, state="slow", advice=error.advice)
        return
    yield Finding(topic="kernels", name="compiler", found=f"{tools.compiler}: {_version(tools.compiler)}")
    if torch_works():
        yield _kernels()


def _kernels() -> Finding:
    from triscale.nn.fast import native  # noqa: PLC0415  loads torch

    isa = wanted_isa() or "all instructions of this processor"
    missing = native.missing()
    if missing is None:
        return Finding(topic="kernels", name="kernels", found=f"built and loaded, for {isa}")
    if native.unwanted():
        advice = f"unset {native.SWITCH} to use them"
        return Finding(topic="kernels", name="kernels", found=missing, state="slow", advice=advice)
    advice = "update g++ (9 or newer), or give --no-kernels to leave all to torch"
    return Finding(topic="kernels", name="kernels", found=missing, state="slow", advice=advice)


def _version(program: str) -> str:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=10)  # noqa: S603  the compiler that was found
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (done.stdout.splitlines() or ["no version"])[0]
