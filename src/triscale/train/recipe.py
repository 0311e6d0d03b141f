"""How a network is trained, as data."""

import math
from dataclasses import dataclass
from typing import Literal

from triscale.errors import UsageError

Optimizer = Literal["sgd", "rmsprop", "adamw"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """A recipe for short trainings of small networks; one recipe serves every candidate of a study.

    Attributes:
        epochs: passes over the training pictures.
        batch: pictures a step.
        optimizer: `adamw`; `sgd` (Nesterov momentum 0.9); `rmsprop` (decay 0.9, momentum 0.9: the paper's).
        learning_rate: the peak, after warm-up.
        weight_decay: on weights of convolutions and linear layers only, not on norms and biases.
        warmup: fraction of all steps with linearly rising learning rate; a cosine to zero follows.
        label_smoothing: probability mass spread over all classes.
        flip: mirror pictures left to right at random.
        shift: largest random shift as a fraction of the side.
        zero_classifier: start from equal probabilities for all classes. The paper's initialisation of the classifier,
            uniform within 1 / sqrt(classes), is made for 1,000 classes; with ten it starts ten times as loud.
    """

    epochs: int = 10
    batch: int = 64
    optimizer: Optimizer = "adamw"
    learning_rate: float = 8e-3
    weight_decay: float = 0.02
    warmup: float = 0.15
    label_smoothing: float = 0.1
    flip: bool = True
    shift: float = 0.125
    zero_classifier: bool = True

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 2:
            raise UsageError(f"epochs {self.epochs} and batch {self.batch}: at least 1 epoch and a batch of 2.")

    def learning_rate_at(self, progress: float) -> float:
        """The rate after the fraction `progress` in [0, 1] of all steps: linear warm-up, then a cosine to 0."""
        if progress < self.warmup:
            return self.learning_rate * progress / self.warmup
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (progress - self.warmup) / (1 - self.warmup)))
