"""One small classifier with SAME padding at an odd oblong size, its checkpoint, and its ONNX file."""

from pathlib import Path

import pytest

from tests.cli.conftest import run
from tests.deploy.networks import classifier, photo, saved, small
from triscale.deploy import export
from triscale.weights import Classifier

__all__ = ["run"]


@pytest.fixture(scope="session")
def same() -> Classifier:
    return classifier(small("efficientnet_b0", (33, 47), width=0.25, depth=0.3))


@pytest.fixture(scope="session")
def checkpoint(same: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("checkpoint") / "best.safetensors", same)


@pytest.fixture(scope="session")
def onnx_file(same: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "same.onnx"
    export(same, path)
    return path


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo(tmp_path_factory.mktemp("pictures") / "photo.jpg")
