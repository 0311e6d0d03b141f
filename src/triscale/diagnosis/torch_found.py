"""torch, torchvision and GPUs. torch is imported here, once, and may be missing or broken."""

import importlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from triscale.diagnosis.finding import Finding
from triscale.diagnosis.requirement import installed_version, requirements
from triscale.errors import first_line
from triscale.units import memory

_CUDA = "install a build of torch for CUDA: https://pytorch.org/get-started/locally"


def torch_works() -> bool:
    """Whether torch can be imported."""
    return _failure("torch") is None


def torch_package() -> Finding:
    """Whether torch is installed, can be imported and is new enough."""
    name, version = "torch", installed_version("torch")
    wanted = next((one for one in requirements() if one.name == name and one.extra is None), None)
    if failure := _failure(name):
        found = "not installed" if version is None else f"{version} cannot be imported: {failure}"
        return Finding(
            topic="required", name=name, found=found, state="broken",
            advice=f"pip install --force-reinstall '{wanted.wanted if wanted else name}'",
        )  # fmt: skip
    if version is not None and wanted is not None and not wanted.is_met_by(version):
        return Finding(
            topic="required", name=name, found=f"{version}, but {wanted.wanted} is required", state="broken",
            advice=f"pip install '{wanted.wanted}'",
        )  # fmt: skip
    return Finding(topic="required", name=name, found=version or "found")


def torchvision_package() -> Iterator[Finding]:
    """A torchvision that does not fit torch, whose operators are then missing; nothing if it fits or is not there."""
    if installed_version("torchvision") is None or not torch_works():
        return
    failure = _failure("torchvision") or _failure_of_operators()
    if failure is not None:
        yield Finding(
            topic="required", name="torchvision", found=f"does not fit torch: {failure}", state="broken",
            advice="pip install --force-reinstall torch torchvision, in one command",
        )  # fmt: skip


def gpus() -> Iterator[Finding]:
    """Each GPU that torch computes on, or why there is none."""
    if not torch_works():
        return
    import torch  # noqa: PLC0415  it was tried above

    from triscale.nn import device_name, devices  # noqa: PLC0415  loads torch

    found = [one for one in devices() if one != "cpu"]
    for one in found:
        size = f", {memory(torch.cuda.get_device_properties(one).total_memory)}" if one.startswith("cuda") else ""
        yield Finding(topic="gpu", name=one, found=f"{device_name(one) or 'Apple GPU'}{size}")
    if not found:
        yield _no_gpu(torch.version.cuda)


def _no_gpu(cuda: str | None) -> Finding:
    driver = shutil.which("nvidia-smi") is not None or Path("/dev/nvidia0").exists()
    if not driver:
        return Finding(topic="gpu", name="gpu", found="none; torch computes on the CPU", state="absent")
    if cuda is None:
        found = "there is an NVIDIA driver, but this torch is built for the CPU alone"
        return Finding(topic="gpu", name="gpu", found=found, state="slow", advice=_CUDA)
    found = f"there is an NVIDIA driver, but torch (CUDA {cuda}) finds no GPU"
    advice = "run nvidia-smi; look at CUDA_VISIBLE_DEVICES, and at the driver's version"
    return Finding(topic="gpu", name="gpu", found=found, state="slow", advice=advice)


def _failure(package: str) -> str | None:
    """Why a package cannot be imported, in one line; None if it can."""
    try:
        importlib.import_module(package)
    except Exception as error:  # noqa: BLE001  whatever a broken installation raises is what we report
        return first_line(error)
    return None


def _failure_of_operators() -> str | None:
    import torch  # noqa: PLC0415  it was tried above

    try:
        torch.ops.torchvision.nms(torch.zeros(1, 4), torch.ones(1), 0.5)
    except Exception as error:  # noqa: BLE001  the same
        return first_line(error)
    return None
