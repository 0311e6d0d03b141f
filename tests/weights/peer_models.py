"""Peers' models with random weights and statistics, and their files."""

import json
from pathlib import Path
from typing import Any

import safetensors.torch
import timm
import torch
import torchvision
from torch import Tensor, nn

from tests.nn.networks import randomise

SMALL = "mnasnet_small"
"""timm's smallest of our networks: 2 M params with a thousand classes, 0.8 M with two."""


def peer_model(peer: str, model: str, **options: Any) -> nn.Module:
    """The peer's own model in evaluation mode, with random norms too."""
    made: nn.Module = (
        torchvision.models.get_model(model, **options) if peer == "torchvision" else timm.create_model(model, **options)
    )
    randomise(made)
    return made.eval()


def tensors_of(model: nn.Module) -> dict[str, Tensor]:
    """Its state dict, as a file takes it."""
    return {name: tensor.contiguous() for name, tensor in model.state_dict().items()}


def small_state(classes: int = 2) -> dict[str, Tensor]:
    """The weights of timm's smallest model."""
    torch.manual_seed(0)
    return tensors_of(peer_model("timm", SMALL, num_classes=classes))


def timm_config(model: str, classes: int, **changed: object) -> dict[str, Any]:
    """A `config.json` as timm writes it for the hub."""
    described = {
        "tag": "test",
        "input_size": [3, 64, 64],
        "interpolation": "bilinear",
        "crop_pct": 0.9,
        "crop_mode": "center",
        "mean": [0.5, 0.4, 0.3],
        "std": [0.2, 0.3, 0.4],
    }
    return {"architecture": model, "num_classes": classes, "pretrained_cfg": described | changed}


def hub_folder(folder: Path, state: dict[str, Tensor], config: dict[str, Any]) -> Path:
    """The two files of a model on the hub."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    safetensors.torch.save_file(state, folder / "model.safetensors")
    return folder
