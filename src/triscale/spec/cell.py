"""A cell of NASNet's kind: pairs of operations on earlier states, each pair added to a new state."""

from dataclasses import dataclass
from typing import Literal, get_args

from triscale.spec.fields import FieldError, require_choice, require_integer

CellOperation = Literal[
    "identity", "conv_1x1", "conv_3x3", "max_pool_2x2", "max_pool_3x3", "avg_pool_3x3",
    "separable_3x3", "separable_5x5", "separable_7x7",
]  # fmt: skip
"""What may be done to a state. `conv_3x3` works on a quarter of the channels between two 1x1 convolutions; a separable
convolution is done twice; every convolution is preceded by the activation and followed by a norm."""

INPUTS = 2
"""State 0 is the cell's input after a 1x1 convolution, state 1 the input of the cell before, made to fit."""

CELL_DIVISOR = 4
"""The channels of a state are a multiple of it: `conv_3x3` works on a quarter, a factorized reduction on halves."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """States 0 and 1 are the inputs; pair i makes state 2 + i, a sum of two operations (arXiv 1707.07012, 1802.01548).

    Attributes:
        operations: two for each pair.
        inputs: the state that each operation takes, an earlier one.
        outputs: the states whose concatenation is the cell's output.
    """

    operations: tuple[CellOperation, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.operations or len(self.operations) % 2:
            raise FieldError("operations", self.operations, "two for each pair")
        if len(self.inputs) != len(self.operations):
            raise FieldError("inputs", self.inputs, f"one for each of the {len(self.operations)} operations")
        for index, operation in enumerate(self.operations):
            require_choice(f"operations[{index}]", operation, get_args(CellOperation))
            require_integer(f"inputs[{index}]", self.inputs[index], 0, INPUTS + index // 2 - 1)
        if not self.outputs or len(set(self.outputs)) != len(self.outputs):
            raise FieldError("outputs", self.outputs, "different states, at least one")
        for index, state in enumerate(self.outputs):
            require_integer(f"outputs[{index}]", state, 0, INPUTS + len(self.operations) // 2 - 1)
