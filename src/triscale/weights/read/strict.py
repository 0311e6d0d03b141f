"""Strictness: every tensor is used once, has the shape that is wanted, and holds numbers."""

from collections.abc import Mapping

import torch
from torch import Tensor

from triscale.errors import InputError

Shape = tuple[int, ...]

MOST_NAMES = 10


def shapes(tensors: Mapping[str, Tensor]) -> dict[str, Shape]:
    """The shape of each tensor."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def refuse_differences(found: Mapping[str, Shape], wanted: Mapping[str, Shape]) -> None:
    """InputError that lists up to ten missing, extra or misshapen names with both shapes."""
    wrong = [
        f"{shown(name)}: {found.get(name, 'missing')}, wanted {wanted.get(name, 'none')}"
        for name in sorted(wanted.keys() | found.keys())
        if wanted.get(name) != found.get(name)
    ]
    if wrong:
        raise InputError(f"the weights do not belong to this network ({len(wrong)} tensors differ):\n{_listed(wrong)}")


def refuse_values(tensors: Mapping[str, Tensor]) -> None:
    """InputError that lists up to ten tensors which hold no weights: NaN, infinity, or numbers of a wrong kind."""
    wrong = [f"{shown(name)} holds {fault}" for name in sorted(tensors) if (fault := _fault(name, tensors[name]))]
    if wrong:
        raise InputError(f"these weights are broken ({len(wrong)} tensors):\n{_listed(wrong)}")


def shown(name: str) -> str:
    """A name out of a file, as it can be printed."""
    text = str(name).encode("unicode_escape").decode("ascii")
    return text if len(text) <= 120 else f"{text[:120]}..."


def _fault(name: str, tensor: Tensor) -> str | None:
    if tensor.is_floating_point():
        return None if bool(torch.isfinite(tensor).all()) else "NaN or infinity"
    counted = name.endswith("num_batches_tracked") and tensor.dtype == torch.int64
    return None if counted else f"{str(tensor.dtype).removeprefix('torch.')} numbers"


def _listed(wrong: list[str]) -> str:
    more = f"; and {len(wrong) - MOST_NAMES} more" if len(wrong) > MOST_NAMES else ""
    return "; ".join(wrong[:MOST_NAMES]) + more
