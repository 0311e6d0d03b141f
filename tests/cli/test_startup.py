"""Start-up stays light: what a command does not need is not imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "torchvision", "timm", "plotly", "numpy", "PIL", "safetensors", "rich.progress", "huggingface_hub"}


def loaded(code: str, *arguments: str) -> set[str]:
    """The heavy packages that a fresh process has loaded at its end."""
    ending = f"\nimport json, sys\nprint(json.dumps(sorted({HEAVY!r} & set(sys.modules))), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code + ending, *arguments], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_networks_loads_nothing_heavy() -> None:
    assert loaded("from triscale.cli import main; main(['networks'])") == set()


@pytest.mark.parametrize("wrong", [("--epochs", "1"), ("--phi", "-1"), ("smallnet_25",), ("--time", "soon")])
def test_a_plain_mistake_in_a_question_is_told_without_torch(wrong: tuple[str, ...]) -> None:
    assert loaded(f"from triscale.cli import main; assert main({['study', *wrong]}) == 64") == set()


def test_predict_loads_torch_and_no_more_than_it_needs(studied: Path, pictures: Path) -> None:
    code = f"from triscale.cli import main; main(['predict', {str(studied)!r}, {str(pictures / 'test')!r}])"
    assert loaded(code) == {"torch", "numpy", "PIL", "safetensors"}
