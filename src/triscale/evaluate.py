"""Accuracy of a model on pictures."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from triscale.data import Held, open_split, recorded_rule
from triscale.data.ahead import ahead
from triscale.data.batches import moved, to_tensor
from triscale.data.chosen import identities
from triscale.data.held import ALL
from triscale.data.images import pillow_warnings_off
from triscale.data.source import rendered
from triscale.errors import InputError, UsageError
from triscale.intervals import wilson
from triscale.nn import device_of
from triscale.spec import preprocessing_document
from triscale.trained_on import TrainedOn
from triscale.weights import Answering, imagenet_ids

BATCH = 32
MOST_CONFUSED = 2000
"""Most classes for which the confusion is written down; it grows with their square."""
_SHOWN = 10
_WORDNET = re.compile(r"n[0-9]{8}")

Indices = NDArray[np.int64]


@torch.inference_mode()
def count_correct(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> tuple[int, int]:
    """(correct, all) pictures by top-1 in evaluation mode, where the model lies; every picture counts once."""
    model.eval()
    device, total = device_of(model), 0
    correct = torch.zeros((), dtype=torch.int64, device=device)  # read once, since each reading waits for a GPU
    for pictures, labels in moved(batches, device):
        correct += (model(pictures).argmax(1) == labels).sum()
        total += len(labels)
    return int(correct), total


def top1(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Top-1 accuracy in [0, 1]."""
    correct, total = count_correct(model, batches)
    return correct / total


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """What a classifier made of a set of pictures.

    Attributes:
        classes: the classifier's, in the order of its logits.
        labels: [n], the true class of each picture.
        ranked: [n, 5] (or [n, classes] of fewer), the most probable classes of each picture, best first.
        about: where the pictures are from and how they were prepared, JSON-ready.
    """

    classes: Sequence[str]
    labels: Indices
    ranked: Indices
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Pictures; each counted once."""
        return len(self.labels)

    @property
    def top1(self) -> float:
        """The part of the pictures whose class is the most probable one."""
        return float(np.mean(self.ranked[:, 0] == self.labels))

    @property
    def top5(self) -> float | None:
        """The part whose class is among the five most probable ones; None below five classes, where it says nothing."""
        if len(self.classes) < 5:
            return None
        return float(np.mean((self.ranked[:, :5] == self.labels[:, None]).any(axis=1)))

    @property
    def top1_interval(self) -> tuple[float, float]:
        """The 95% score interval of `top1`: what n pictures can say."""
        return wilson(self.top1 * self.n, self.n)

    @property
    def confusion(self) -> Indices:
        """[classes, classes]: pictures by true class (row) and most probable class (column)."""
        k = len(self.classes)
        flat = np.bincount(self.labels * k + self.ranked[:, 0], minlength=k * k)
        return flat.reshape(k, k).astype(np.int64)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: `n`, `top1`, `top5`, their intervals, the accuracy of each class, and `confusion`."""
        top5 = self.top5
        return {
            "n": self.n,
            "top1": self.top1,
            "top5": top5,
            "top1_interval": list(self.top1_interval),
            "top5_interval": None if top5 is None else list(wilson(top5 * self.n, self.n)),
            **self.about,
            "classes": self._by_class(),
            "confusion": self.confusion.tolist() if len(self.classes) <= MOST_CONFUSED else None,
        }

    def _by_class(self) -> list[dict[str, Any]]:
        hits = self.ranked[:, 0] == self.labels
        counts = np.bincount(self.labels, minlength=len(self.classes))
        correct = np.bincount(self.labels[hits], minlength=len(self.classes))
        return [
            {
                "name": name,
                "n": n,
                "correct": right,
                "top1": right / n if n else None,
                "top1_interval": list(wilson(right, n)) if n else None,
            }
            for name, n, right in zip(self.classes, counts.tolist(), correct.tolist(), strict=True)
        ]


def evaluate(
    classifier: Answering,
    data: str | Path,
    *,
    split: str | None = None,
    batch: int = BATCH,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Every picture of a split through the classifier, once; pictures are decoded while the model computes.

    Args:
        classifier: a model, or an exported one, with its classes and preprocessing.
        data: see `triscale.data.open_split`; classes are matched by name, whatever their order.
        split: `test`, `val`, `train` or `all`, taken whole. Without it, images that the weights were trained on, or
            that helped to choose the epoch, are left out, as far as the weights tell.
        batch: pictures a step.
        progress: is told `(done, n)` after each step.

    Raises:
        UsageError: a batch below 1, or no such split.
        InputError: nothing usable there, nothing that was not trained on, or classes that the classifier does not know.
        NumericError: the classifier answers what is not finite.
    """
    if batch < 1:
        raise UsageError(f"batch is {batch}; give at least 1.")
    held, seen = _held_out(data, split, classifier.trained_on)
    labels = matched_labels(held, classifier.classes)
    ranked: list[Indices] = []
    for pictures in _in_batches(held, classifier, batch):
        how = classifier.preprocessing
        logits = classifier.logits(to_tensor(pictures, how.mean, how.std))
        ranked.append(logits.argsort(dim=1, descending=True, stable=True)[:, :5].numpy())
        if progress is not None:
            progress(sum(map(len, ranked)), len(labels))
    return Evaluation(
        classes=classifier.classes, labels=labels, ranked=np.concatenate(ranked), about=_about(held, classifier, seen)
    )


class Seen(NamedTuple):
    """How many of the images at hand were trained on or helped to choose the epoch, and how many are evaluated."""

    images: int
    used: int
    evaluated: int

    def __str__(self) -> str:
        what = f"all {self.images:,}" if self.evaluated == self.images else f"the other {self.evaluated:,}"
        return (
            f"{self.images:,} images, of which {self.used:,} were used in training or for choosing the epoch; "
            f"evaluating {what}."
        )


def _held_out(data: str | Path, split: str | None, known: TrainedOn | None) -> tuple[Held, Seen | None]:
    """The images to evaluate on: without a split, those that the weights were not trained on.

    A split that is named is taken whole. Where nothing is known of the training, so is what the data offers.
    """
    if known is None:
        return open_split(data, split), None
    rule = recorded_rule({"version": known.version, "group_by": known.group_by})
    held = open_split(data, split, rule=rule)
    if split is None and not held.divided:
        held = open_split(data, ALL, rule=rule)
    used = np.array(known.used(identities(held.part)), dtype=bool)
    n = len(held.part.labels)
    if split is not None or not used.any():
        return held, Seen(n, int(used.sum()), n)
    if used.all():
        raise InputError(
            f"all {n:,} images of {held.name} were used in training or for choosing the epoch.\n"
            "Give others, or --split all to evaluate these."
        )
    return held.without(used), Seen(n, int(used.sum()), int((~used).sum()))


def _in_batches(held: Held, classifier: Answering, batch: int) -> Iterator[NDArray[np.uint8]]:
    with pillow_warnings_off():
        for block in ahead(rendered(held.part, classifier.resolution, classifier.preprocessing)):
            yield from (block[start : start + batch] for start in range(0, len(block), batch))


def _about(held: Held, classifier: Answering, seen: Seen | None) -> dict[str, Any]:
    return {
        "seen_in_training": seen and {**seen._asdict(), "text": str(seen)},
        "data": held.name,
        "split": held.split,
        "skipped": held.skipped,
        "notes": list(held.notes),
        "network": classifier.network.name,
        "resolution": list(classifier.resolution),
        "preprocessing": preprocessing_document(classifier.preprocessing),
        "overridden": classifier.overrides_document(),
    }


def matched_labels(held: Held, classes: Sequence[str]) -> Indices:
    """The labels of the pictures as positions in `classes`, by name; class folders may be named by WordNet ids.

    Raises:
        InputError: names that the classifier does not have, up to ten of them.
    """
    labels = held.part.labels
    if held.classes is None and not _numbered(classes):
        if labels.max() >= len(classes):
            raise InputError(f"{held.name} has the label {labels.max()}, but the network has {len(classes)} classes.")
        return labels
    names, places = held.classes, labels
    if names is None:
        numbers, places = np.unique(labels, return_inverse=True)
        names = tuple(map(str, numbers.tolist()))
    known = _positions(names, classes)
    strange = [name for name in names if name not in known]
    if strange:
        raise InputError(_strangers(held.name, strange, classes))
    return np.array([known[name] for name in names], dtype=np.int64)[places]


def _numbered(classes: Sequence[str]) -> bool:
    """Whether the classes are called by numbers: where some are left out, a label is a name and no position."""
    return all(name.isdecimal() for name in classes)


def _positions(names: Sequence[str], classes: Sequence[str]) -> dict[str, int]:
    known = {name: index for index, name in enumerate(classes)}
    if len(known) < len(classes):
        twice = next(name for index, name in enumerate(classes) if known[name] != index)
        raise InputError(f"two classes of the network are named {twice!r}: pictures cannot be matched by name.")
    wordnet = not known.keys() & set(names) and all(_WORDNET.fullmatch(name) for name in names)
    if wordnet and len(classes) == 1000:
        return {name: index for index, name in enumerate(imagenet_ids())}
    return known


def _strangers(name: str, strange: Sequence[str], classes: Sequence[str]) -> str:
    shown = ", ".join(map(repr, strange[:_SHOWN])) + (", ..." if len(strange) > _SHOWN else "")
    own = ", ".join(map(repr, classes[:_SHOWN])) + (", ..." if len(classes) > _SHOWN else "")
    return (
        f"{len(strange)} classes of {name} are not among the network's: {shown}.\n"
        f"The network has {len(classes)}: {own}.\nGive the class folders these names, or other pictures."
    )
