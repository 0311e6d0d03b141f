"""Data whose truth is what a network in float32 answers, so that whatever int8 changes is lost."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from triscale.data import open_split
from triscale.data.feed.in_memory import to_tensor
from triscale.data.source import rendered
from triscale.deploy.about import About
from triscale.deploy.exported import Exported
from triscale.deploy.formats import kind_of
from triscale.deploy.precision.lowered_graph import judging_for, lowered
from triscale.deploy.precision.lowering import Lowered, Lowering
from triscale.deploy.precision.quantizer import Packer
from triscale.deploy.proven_export import Proven, proven
from triscale.nn.blocks import MBConv
from triscale.nn.primitives import SqueezeExcite
from triscale.weights import Classifier

TRAINING, TEST = 64, 300


def own_truth(folder: Path, classifier: Classifier) -> Path:
    """A folder with train.npz and test.npz: embedded flowers, labelled by what the classifier says about them."""
    how, (high, wide) = classifier.preprocessing, classifier.resolution
    part = open_split(f"flowers:{4 * TEST}", "test").part
    pixels = np.concatenate(list(rendered(part, (high + 8, wide + 8), how)))
    draws = np.random.default_rng(0)
    for name, count in (("train", TRAINING), ("test", TEST)):
        cuts = draws.integers(0, 8, (count, 2)).tolist()
        found = [pixels[i % TEST][top : top + high, left : left + wide] for i, (top, left) in enumerate(cuts)]
        images = np.stack(found)
        labels = classifier.logits(to_tensor(images, how.mean, how.std)).argmax(1).numpy()
        np.savez(folder / f"{name}.npz", images=images, labels=labels)
    return folder


@dataclass(frozen=True)
class Float32:
    """A proven float32 graph, made once for several tests."""

    made: Proven
    data: Path

    def lowered(self, **asked: object) -> Lowered:
        """The same in a lower precision."""
        wanted = Lowering(**{"precision": "int8", "data": self.data, "max_drop": 100.0, "calibration": 32, **asked})  # type: ignore[arg-type]
        judging = judging_for(wanted, self.made.first)
        return lowered(wanted, judging, self.made.about, self.made.packer, self.made.first, self.made.opened)

    def opened(self, packer: Packer, about: About | None = None) -> Exported:
        """The file of a graph, opened."""
        return self.made.opened(packer, about or self.made.about)


def float32(classifier: Classifier, data: Path, name: str) -> Float32:
    """The graph of a classifier, for a file of that name."""
    return Float32(proven(classifier, data / name, kind_of(Path(name))), data)


def harden(classifier: Classifier, blocks: int | None = None) -> Classifier:
    """Make maps hard to quantise: in each block one channel becomes 1000 times as large."""
    model = classifier.own_model
    found = [one for one in model.modules() if isinstance(one, MBConv)][slice(blocks)]
    with torch.no_grad():
        for block in found:
            assert isinstance(block.depthwise.norm, torch.nn.BatchNorm2d)
            block.depthwise.norm.weight[0] *= 1000
            block.depthwise.norm.bias[0] *= 1000
            assert isinstance(block.squeeze_excite, SqueezeExcite)
            block.squeeze_excite.reduce.weight[:, 0] /= 1000
            block.project.conv.weight[:, 0] /= 1000
    return classifier
