"""What a set of answers is worth: accuracy with its interval, balanced accuracy, F1, by class, and what is confused.

The definitions are scikit-learn's (`accuracy_score`, `balanced_accuracy_score`, `f1_score(average="macro")`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triscale.intervals import wilson

MOST_CONFUSED = 2000
"""Most classes for which the confusion is written down; it grows with their square."""

Indices = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """What a classifier made of a set of images.

    Attributes:
        classes: the classifier's, in the order of its logits.
        labels: [n], the true class of each image.
        ranked: [n, 5] (or [n, classes] of fewer), the most probable classes of each image, best first.
        about: where the images are from and how they were prepared, JSON-ready.
    """

    classes: Sequence[str]
    labels: Indices
    ranked: Indices
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Images; each counted once."""
        return len(self.labels)

    @property
    def top1(self) -> float:
        """The part of the images whose class is the most probable one."""
        return float(np.mean(self.ranked[:, 0] == self.labels))

    @property
    def top5(self) -> float | None:
        """The part whose class is among the five most probable ones; None below five classes, where it says nothing."""
        if len(self.classes) < 5:
            return None
        return float(np.mean((self.ranked[:, :5] == self.labels[:, None]).any(axis=1)))

    @property
    def top1_interval(self) -> tuple[float, float]:
        """The 95% score interval of `top1`: what n images can say."""
        return wilson(self.top1 * self.n, self.n)

    @property
    def balanced_accuracy(self) -> float:
        """The mean of the accuracies of the classes that have images: each class counts alike, however rare."""
        counts, _, correct = self._counts()
        there = counts > 0
        return float(np.mean(correct[there] / counts[there]))

    @property
    def macro_f1(self) -> float:
        """The mean F1 (harmonic mean of precision and recall) of the classes that have images or were answered."""
        counts, answered, correct = self._counts()
        there = counts + answered > 0
        return float(np.mean(2 * correct[there] / (counts + answered)[there]))

    @property
    def unequal(self) -> bool:
        """Whether classes have unequal numbers of images; else `balanced_accuracy` is `top1`."""
        counts, _, _ = self._counts()
        return len(set(counts[counts > 0].tolist())) > 1

    @property
    def confusion(self) -> Indices:
        """[classes, classes]: images by true class (row) and most probable class (column)."""
        k = len(self.classes)
        flat = np.bincount(self.labels * k + self.ranked[:, 0], minlength=k * k)
        return flat.reshape(k, k).astype(np.int64)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: the scores, their intervals, the accuracy of each class, and `confusion`."""
        top5 = self.top5
        return {
            "n": self.n,
            "top1": self.top1,
            "top5": top5,
            "top1_interval": list(self.top1_interval),
            "top5_interval": None if top5 is None else list(wilson(top5 * self.n, self.n)),
            "balanced_accuracy": self.balanced_accuracy,
            "macro_f1": self.macro_f1,
            **self.about,
            "classes": self._by_class(),
            "confusion": self.confusion.tolist() if len(self.classes) <= MOST_CONFUSED else None,
        }

    def _counts(self) -> tuple[Indices, Indices, Indices]:
        """Of each class: its images, the images that were answered so, and those of both."""
        first, k = self.ranked[:, 0], len(self.classes)
        hits = self.labels[first == self.labels]
        return np.bincount(self.labels, minlength=k), np.bincount(first, minlength=k), np.bincount(hits, minlength=k)

    def _by_class(self) -> list[dict[str, Any]]:
        counts, _, correct = self._counts()
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
