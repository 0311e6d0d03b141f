"""The proof of an export: the file itself is run on random images, and its logits are compared with the model's.

The truth is the model in float64. An export may be off by 1e-5 of the largest logit. Some networks cannot be computed
as exactly as that in float32, neither by an export nor by torch; there it may be off by a few times what the model in
float32 is off by itself, in the same images.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from triscale.spec import Size

PICTURES = 100
"""Random images: four in five as normalised images are, the others 30 times as large."""

TOLERANCE = 1e-5
"""Largest difference of logits, relative to the largest logit of the same kind of images."""

NOISE = 4.0
"""How many times the model's own error in float32 an export's may be, where that is more than the tolerance."""

MOST = 1e-3
"""More than this is never the noise of float32."""

STRONG = 30.0
_ROUNDS, _STRONG_ROUNDS = 10, 2
"""A round is batches of 1, 2, 3 and 4 images."""

Logits = Callable[[Tensor], Tensor]
Triple = tuple[Tensor, Tensor, Tensor]
"""Logits of one batch: true, of the model in float32, of the export."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProofPart:
    """What came of one kind of images; differences are relative to the largest logit.

    Attributes:
        difference: largest of the export from the truth.
        float32: the same of the model in float32.
        decided: images whose best class leads by more than what is allowed.
        agreed: those of them for which the export says the same class.
    """

    difference: float
    float32: float
    decided: int
    agreed: int

    @property
    def allowed(self) -> float:
        """The largest difference that passes."""
        return min(max(TOLERANCE, NOISE * self.float32), MOST)

    @property
    def holds(self) -> bool:
        """Whether the export is as good as the model."""
        return self.difference <= self.allowed and self.agreed == self.decided


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What came of it.

    Attributes:
        normal: of images as they come.
        strong: of those that are 30 times as large.
        runtime: name and version of what ran the file.
    """

    normal: ProofPart
    strong: ProofPart
    runtime: str

    @property
    def holds(self) -> bool:
        """Whether the export may be written."""
        return self.normal.holds and self.strong.holds

    @property
    def worse(self) -> ProofPart:
        """The kind of images with the larger difference."""
        return max(self.normal, self.strong, key=lambda kind: kind.difference)

    def __str__(self) -> str:
        agreed, decided = (getattr(self.normal, name) + getattr(self.strong, name) for name in ("agreed", "decided"))
        return (
            f"{PICTURES} random images: logits within {self.worse.difference:.1e} of the largest "
            f"(torch itself {self.worse.float32:.1e}), the same class in {agreed} of {decided}"
        )

    def to_dict(self) -> dict[str, Any]:
        """For metadata and output."""
        kinds = {name: {**asdict(kind), "allowed": kind.allowed} for name, kind in self._kinds()}
        return {
            "pictures": PICTURES,
            "runtime": self.runtime,
            "difference": self.worse.difference,
            "decided": self.normal.decided + self.strong.decided,
            "agreed": self.normal.agreed + self.strong.agreed,
            **kinds,
        }

    def _kinds(self) -> tuple[tuple[str, ProofPart], ...]:
        return ("normal", self.normal), ("strong", self.strong)


def prove(
    truth: Logits, model: Logits, exports: Sequence[Logits], channels: int, sizes: Sequence[Size], runtime: str
) -> list[Proof]:
    """Compare exports with the model that they were made of, which is run once for all.

    Args:
        truth: prepared images [n, channels, h, w] to logits, in float64.
        model: the same in float32.
        exports: the same of the exported files.
        channels: of the images.
        sizes: (height, width), taken in turn.
        runtime: what runs the files.
    """
    groups: list[tuple[list[Triple], list[Triple]]] = [([], []) for _ in exports]
    for is_strong, given in pictures(channels, sizes):
        true, plain = truth(given), model(given)
        for export, group in zip(exports, groups, strict=True):
            group[is_strong].append((true, plain, export(given)))
    return [Proof(normal=_compared(one), strong=_compared(other), runtime=runtime) for one, other in groups]


def pictures(channels: int, sizes: Sequence[Size]) -> Iterator[tuple[bool, Tensor]]:
    """The random images, in batches of 1 to 4, and whether they are strong; the same ones each time."""
    draws = torch.Generator().manual_seed(0)
    for rounds in range(_ROUNDS):
        strong = rounds >= _ROUNDS - _STRONG_ROUNDS
        for n in range(1, 5):
            given = torch.randn(n, channels, *sizes[rounds % len(sizes)], generator=draws)
            yield strong, given * STRONG if strong else given


def _compared(group: Sequence[Triple]) -> ProofPart:
    true, model, export = (torch.cat([triple[index] for triple in group]) for index in range(3))
    largest = float(true.abs().max())
    found = ProofPart(difference=_far(true, export, largest), float32=_far(true, model, largest), decided=0, agreed=0)
    sure = _margin(true) > found.allowed * largest
    same = true.argmax(1) == export.argmax(1)
    return ProofPart(
        difference=found.difference, float32=found.float32, decided=int(sure.sum()), agreed=int(same[sure].sum())
    )


def _far(true: Tensor, found: Tensor, largest: float) -> float:
    far = float((true - found).abs().max())
    if largest == 0:  # a classifier of zeros, as a study begins with
        return 0.0 if far == 0 else math.inf
    return far / largest


def _margin(logits: Tensor) -> Tensor:
    """[n]: by how much the best class leads; of a single class, by everything."""
    if logits.shape[1] == 1:
        return torch.full((len(logits),), math.inf)
    best = logits.topk(2, dim=1).values
    return best[:, 0] - best[:, 1]
