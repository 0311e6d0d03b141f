"""The test of a trained network of a search."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from triscale.data import Source
from triscale.data.feed.in_memory import eval_batches, to_tensor
from triscale.data.source import rendered
from triscale.evaluation import count_correct
from triscale.weights import Classifier

_AT_ONCE = 256


def test_accuracy(classifier: Classifier, source: Source) -> float:
    """Top-1 on every test image, each prepared as the preprocessing of the weights says."""
    correct, n = count_correct(classifier.model, _test_batches(classifier, source))
    return correct / n


def _test_batches(classifier: Classifier, source: Source) -> Iterator[tuple[Tensor, Tensor]]:
    how, size, labels = classifier.preprocessing, classifier.resolution, source.labels("test")
    if how.exact_pixels:  # rendered once for all networks of a size
        everything = np.arange(len(labels))
        images = source.pictures("test", size)
        yield from eval_batches(images, labels, everything, batch=_AT_ONCE, mean=how.mean, std=how.std)
        return
    start = 0
    for block in rendered(source.parts["test"], size, how):
        yield to_tensor(block, how.mean, how.std), torch.from_numpy(labels[start : start + len(block)])
        start += len(block)
