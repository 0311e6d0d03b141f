"""Activation checkpointing: a block keeps its inputs alone, and backward runs it again (arXiv 1604.06174)."""

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint


def recomputed(block: nn.Module, *inputs: Tensor) -> Tensor:
    """The block's output; the maps inside are made again in backward, to the bit.

    What is drawn at random is drawn the same, under the same autocast. Norms take each batch in once.

    Args:
        block: any module that returns one tensor.
        inputs: its own; kept until backward.
    """
    # A compiled graph holds the norms' counting apart from what backward recomputes, and takes plain modules only.
    called = block if torch.compiler.is_compiling() else _CountedOnce(block)
    y: Tensor = checkpoint(called, *inputs, use_reentrant=False)
    return y


class _CountedOnce:
    """Calls a module; from the second call on, what it writes into its buffers is forgotten."""

    def __init__(self, module: nn.Module) -> None:
        self._module, self._called = module, False

    def __call__(self, *inputs: Tensor) -> Tensor:
        if not self._called:
            self._called = True
            y: Tensor = self._module(*inputs)
            return y
        copies = {name: one.clone() for name, one in self._module.named_buffers()}
        again: Tensor = functional_call(self._module, copies, inputs)
        return again
