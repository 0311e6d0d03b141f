"""Small networks with random weights, as checkpoints and as classifiers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import triscale
from triscale.data.decode.image import decode
from triscale.data.feed.in_memory import to_tensor
from triscale.nn import build
from triscale.spec import IMAGENET, Network, Preprocessing, Size
from triscale.weights import Checkpoint, Classifier, Predictor, save

NAMES = ("daisy", "<script>alert(1)</script>", "tulip", "naïve ünïcode", "rose")


def small(name: str = "smallnet_24", size: Size = (24, 24), width: float = 1.0, depth: float = 1.0) -> Network:
    """A network of the zoo, scaled, of five classes."""
    return replace(triscale.scale(name, width=width, depth=depth), classes=len(NAMES), resolution=size)


def classifier(network: Network, how: Preprocessing = IMAGENET) -> Classifier:
    """Random weights that tell images apart: an untrained classifier, its norms included, is nearly indifferent."""
    torch.manual_seed(0)
    model = build(network)
    given = torch.randn(16, network.input_channels, *network.resolution)
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    with torch.no_grad():
        for norm in norms:
            norm.momentum = 1.0
        model(given)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        torch.nn.init.normal_(model.classifier.weight)
        logits = model.eval()(given)
        model.classifier.weight.mul_(3 / logits.std())
    return Classifier(model=model, classes=NAMES, preprocessing=how)


def saved(path: Path, made: Classifier) -> Path:
    """The same as a checkpoint."""
    state = made.model.state_dict()
    save(path, Checkpoint(network=made.network, state=state, classes=NAMES, preprocessing=made.preprocessing))
    return path


def photo(path: Path, seed: int = 0, size: Size = (90, 120)) -> Path:
    """A JPEG of smooth colours, so that its crop and filter count."""
    draws = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(draws).resize(size[::-1], Image.Resampling.BICUBIC).save(path, quality=95)
    return path


def logits_of(answering: Predictor, picture: Path) -> torch.Tensor:
    """What is answered to a file, prepared by the lock of who answers."""
    how = answering.preprocessing
    return answering.logits(to_tensor(decode(picture, answering.resolution, how)[None], how.mean, how.std))
