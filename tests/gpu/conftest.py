"""Tests on a real CUDA GPU: `make gpu` runs them; without one each is skipped and says so."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.pictures import class_folders

# cuBLAS repeats itself only with workspaces of its own, which it reads when it starts.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything below this folder is marked `gpu`."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("gpu")


@pytest.fixture(scope="session", autouse=True)
def gpu() -> torch.device:
    """The first GPU."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA GPU on this machine")
    return torch.device("cuda", 0)


@pytest.fixture
def repeatable() -> Iterator[None]:
    """Float32 as IEEE has it, and kernels that give the same bits each time."""
    cudnn: Any = torch.backends.cudnn
    kinds: tuple[Any, ...] = (cudnn.conv, torch.backends.cuda.matmul)
    before = [one.fp32_precision for one in kinds]
    for one in kinds:
        one.fp32_precision = "ieee"
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)
    for one, precision in zip(kinds, before, strict=True):
        one.fp32_precision = precision


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two classes of small images, and a cache of their own."""
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    return class_folders(tmp_path / "data", count=80)
