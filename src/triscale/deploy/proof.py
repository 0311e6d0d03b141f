"""The proof of an export: the file itself is run on random pictures, and its logits are compared with the model's."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from triscale.spec import Size

PICTURES = 100
"""Random pictures: four in five as normalised pictures are, the others 30 times as large."""

TOLERANCE = 1e-5
"""Largest difference of logits, relative to the largest logit of the same kind of pictures."""

STRONG = 30.0
_ROUNDS, _STRONG_ROUNDS = 10, 2
"""A round is batches of 1, 2, 3 and 4 pictures."""

Logits = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What came of it.

    Attributes:
        normal, strong: largest difference of logits over the largest logit, for either kind of pictures.
        decided: pictures whose best class leads by more than the tolerance.
        agreed: those of them for which the export says the same class.
        runtime: name and version of what ran the file.
    """

    normal: float
    strong: float
    decided: int
    agreed: int
    runtime: str

    @property
    def holds(self) -> bool:
        """Whether the export may be written."""
        return max(self.normal, self.strong) <= TOLERANCE and self.agreed == self.decided

    def __str__(self) -> str:
        return (
            f"{PICTURES} random pictures: logits within {max(self.normal, self.strong):.1e} of the largest, "
            f"the same class in {self.agreed} of {self.decided}"
        )

    def document(self) -> dict[str, Any]:
        """For metadata and output."""
        return {
            "pictures": PICTURES,
            "tolerance": TOLERANCE,
            "difference": max(self.normal, self.strong),
            "normal": self.normal,
            "strong": self.strong,
            "decided": self.decided,
            "agreed": self.agreed,
            "runtime": self.runtime,
        }


def prove(model: Logits, export: Logits, channels: int, sizes: Sequence[Size], runtime: str) -> Proof:
    """Compare an export with the model that it was made of.

    Args:
        model: prepared pictures [n, channels, h, w] to logits.
        export: the same of the exported file.
        channels: of the pictures.
        sizes: (height, width), taken in turn.
        runtime: what runs the file.
    """
    pairs = [(rounds, model(x), export(x)) for rounds, x in pictures(channels, sizes)]
    strong_from = _ROUNDS - _STRONG_ROUNDS
    normal, strong = ([p[1:] for p in pairs if (p[0] >= strong_from) == kind] for kind in (False, True))
    decided = agreed = 0
    for group in (normal, strong):
        least = TOLERANCE * _largest(group)
        for wanted, found in group:
            sure = _margin(wanted) > least
            decided += int(sure.sum())
            agreed += int((wanted.argmax(1) == found.argmax(1))[sure].sum())
    return Proof(
        normal=_difference(normal), strong=_difference(strong), decided=decided, agreed=agreed, runtime=runtime
    )


def pictures(channels: int, sizes: Sequence[Size]) -> Iterator[tuple[int, Tensor]]:
    """The random pictures, in batches of 1 to 4, each with its round; the same ones each time."""
    draws = torch.Generator().manual_seed(0)
    for rounds in range(_ROUNDS):
        scale = STRONG if rounds >= _ROUNDS - _STRONG_ROUNDS else 1.0
        for n in range(1, 5):
            yield rounds, scale * torch.randn(n, channels, *sizes[rounds % len(sizes)], generator=draws)


def _largest(group: Sequence[tuple[Tensor, Tensor]]) -> float:
    return max(float(wanted.abs().max()) for wanted, _ in group)


def _difference(group: Sequence[tuple[Tensor, Tensor]]) -> float:
    far, largest = max(float((wanted - found).abs().max()) for wanted, found in group), _largest(group)
    if largest == 0:  # a classifier of zeros, as a study begins with
        return 0.0 if far == 0 else math.inf
    return far / largest


def _margin(logits: Tensor) -> Tensor:
    """[n]: by how much the best class leads; of a single class, by everything."""
    if logits.shape[1] == 1:
        return torch.full((len(logits),), math.inf)
    best = logits.topk(2, dim=1).values
    return best[:, 0] - best[:, 1]
