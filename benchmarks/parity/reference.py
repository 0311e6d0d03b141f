"""What a peer says of itself; the ledger compares ours with it and does not care which library it was."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

Shapes = list[tuple[int, ...]]
"""Output (channels, height, width) of every convolution and linear layer, in the order of the data; a linear layer is
as a convolution of one pixel, which is what some libraries write."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is compared for one row.

    Attributes:
        sizes: pixels -> pictures of that size in evaluation mode.
        evaluated: the type of numbers in evaluation mode.
        trained: pixels and batch of the step in training mode.
        double: whether that step is taken in float64, where rounding cannot hide a fault.
        native: (height, width) for params, MACs and shapes.
    """

    sizes: dict[tuple[int, int], int]
    evaluated: Literal["float32", "float64"]
    trained: tuple[tuple[int, int], int]
    double: bool
    native: tuple[int, int]


@dataclass(kw_only=True)
class Step:
    """One step in training mode: what goes out, the gradient of each tensor, the running statistics after it."""

    logits: Tensor
    gradients: dict[str, Tensor]
    statistics: dict[str, Tensor]


@dataclass(kw_only=True)
class Counted:
    """Params, multiply-adds and shapes at the native resolution."""

    params: int
    macs: int
    shapes: Shapes


@dataclass(kw_only=True)
class Reference:
    """A peer's random weights by its own names, and what it makes of them."""

    weights: dict[str, Tensor]
    logits: list[Tensor]
    step: Step
    counted: Counted
