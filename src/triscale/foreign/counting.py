"""What a foreign network costs and what it is: counted by torch on tensors without data, once for each point.

MACs are half of what `torch.utils.flop_counter.FlopCounterMode` counts; activations are the elements that convolutions
return, functional ones too; params are the trainable ones. All for one image, in evaluation mode.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from triscale.costs import Counts
from triscale.errors import InputError
from triscale.foreign.building import ForeignModel, build, run
from triscale.foreign.callables import Foreign, callable_at
from triscale.foreign.signature import sized
from triscale.spec import ForeignNetwork

How = Literal["meta", "built on cpu", "run on cpu"]
"""Where it was counted: without data; without data once it was built with them; on real numbers. Equal numbers."""

_KINDS = MappingProxyType({"conv": "convolution", "attention": "attention"})
_KEPT = 4096
"""Points whose counts are kept; a study visits some hundreds."""


class Stored(NamedTuple):
    """A tensor of a checkpoint: how many elements, of how many dimensions, of what."""

    elements: int
    dimensions: int
    is_float: bool
    bytes_each: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """A foreign network that was built once.

    Attributes:
        network: itself, with its resolution, classes and fingerprint filled in.
        counts: params, MACs and activations for one image.
        operations: MACs by kind of operation: convolution, matrix product, attention.
        how: where it was counted.
        tensors: of a checkpoint.
    """

    network: ForeignNetwork
    counts: Counts
    operations: Mapping[str, int]
    how: How
    tensors: tuple[Stored, ...]


def counted(network: ForeignNetwork) -> Counted:
    """The counts of a network, from memory where it was counted before in this process.

    Its path is imported: only for a network that the user named.

    Raises:
        InputError: it cannot be imported, fails at its size, returns no logits, or has other tensors or operations
            than its fingerprint says.
    """
    found = _counted(callable_at(network.path), replace(network, fingerprint=""))
    if network.fingerprint and network.fingerprint != found.network.fingerprint:
        raise InputError(
            f"the code of {network.path} changed: its tensors or operations are not those it had.\n"
            "Restore that code, or start again in another folder."
        )
    return found


def count(network: ForeignNetwork) -> Counts:
    """Params, MACs and activations for one image; see `counted`."""
    return counted(network).counts


def known(network: ForeignNetwork) -> ForeignNetwork:
    """The network with its resolution, classes and fingerprint filled in; see `counted`."""
    return counted(network).network


@lru_cache(maxsize=_KEPT)
def _counted(function: Foreign, network: ForeignNetwork) -> Counted:
    """`function` is part of the key: a module that is loaded again has another one."""
    network = sized(network, function)
    ways: tuple[tuple[How, Callable[[], ForeignModel]], ...] = (
        ("meta", lambda: _on_meta(network)),
        ("built on cpu", lambda: _on_cpu(network).to("meta")),
        ("run on cpu", lambda: _on_cpu(network)),
    )
    for how, make in ways:
        try:
            return _measure(network, make(), how)
        except InputError:
            if how == ways[-1][0]:
                raise
    raise AssertionError("the last way returns or raises")


def _on_meta(network: ForeignNetwork) -> ForeignModel:
    with torch.device("meta"):
        return build(network)


def _on_cpu(network: ForeignNetwork) -> ForeignModel:
    """Fresh weights draw random numbers; a count must not move those of the caller."""
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        return build(network)


def _measure(network: ForeignNetwork, model: ForeignModel, how: How) -> Counted:
    model.eval()  # in training, batch norm rejects a single pixel
    device = "cpu" if how == "run on cpu" else "meta"
    image = torch.zeros(1, network.input_channels, *network.resolution, device=device)
    with torch.no_grad(), FlopCounterMode(display=False) as counter, _Convolved() as convolved:
        logits = run(model, image)
    operations = _by_kind(counter)
    params = sum(one.numel() for one in model.parameters() if one.requires_grad)
    counts = Counts(params, sum(operations.values()), convolved.elements)
    if not params:
        raise InputError(f"{network.path} returns a module without trainable parameters.")
    known_now = replace(network, classes=logits.shape[1], fingerprint=fingerprint(model.module, operations))
    return Counted(
        network=known_now,
        counts=counts,
        operations=MappingProxyType(operations),
        how=how,
        tensors=tuple(
            Stored(one.numel(), one.ndim, one.is_floating_point(), one.element_size())
            for one in model.state_dict().values()
        ),
    )


def fingerprint(module: nn.Module, operations: Mapping[str, int]) -> str:
    """SHA-256 of names, types and shapes of all tensors of a module, and of its MACs by kind of operation."""
    tensors = [(name, str(one.dtype), list(one.shape)) for name, one in sorted(module.state_dict().items())]
    return hashlib.sha256(json.dumps([tensors, sorted(operations.items())]).encode()).hexdigest()


def _by_kind(counter: FlopCounterMode) -> dict[str, int]:
    """MACs by kind; names of operations differ between versions and devices, their kinds do not."""
    found: dict[str, int] = {}
    for operation, flops in counter.get_flop_counts().get("Global", {}).items():
        kind = next((kind for part, kind in _KINDS.items() if part in str(operation)), "matrix product")
        found[kind] = found.get(kind, 0) + flops // 2
    return found


class _Convolved(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the elements that convolutions return."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.elements = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        found = func(*args, **(kwargs or {}))
        if func is torch.ops.aten.convolution.default:
            self.elements += found.numel()
        return found
