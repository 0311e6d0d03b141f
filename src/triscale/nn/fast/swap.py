"""Which parts of a model have a faster way, and the exchange itself: classes change, parameters and names do not."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from torch import nn

from triscale.nn.blocks import MBConv
from triscale.nn.fast.depthwise import change_class, is_depthwise
from triscale.nn.fast.inner_mbconv import inner_fits
from triscale.nn.fast.norm_activation import NormActivation, code_of
from triscale.nn.primitives import ConvUnit, NormUnit


class Pair(NamedTuple):
    """A norm and the activation after it, by the names of the norm and of the activation; "" where it has none."""

    norm: str
    activation: str


def convolutions(model: nn.Module) -> list[str]:
    """Names of the depthwise convolutions."""
    return [name for name, module in model.named_modules() if is_depthwise(module)]


def blocks(model: nn.Module) -> list[str]:
    """Names of the blocks whose inner layers can be one step."""
    return [name for name, module in model.named_modules() if inner_fits(module)]


def pairs(model: nn.Module) -> list[Pair]:
    """Norms with the activations after them: of our units, of neighbours in a sequence, or in a norm of timm's."""
    found: dict[str, Pair] = {}
    for name, module in model.named_modules():
        for pair in _pairs_in(name, module):
            found.setdefault(pair.norm, pair)  # a unit comes before the norm inside it
    return list(found.values())


def _pairs_in(name: str, module: nn.Module) -> Iterator[Pair]:
    prefix = f"{name}." if name else ""
    if isinstance(module, ConvUnit | NormUnit) and _is_norm(module.norm) and code_of(module.activation):
        yield Pair(f"{prefix}norm", f"{prefix}activation")
    if type(module) is nn.Sequential:
        names = list(module._modules)  # noqa: SLF001  their names, not only their number
        for first, second in itertools.pairwise(names):
            if _is_norm(getattr(module, first)) and code_of(getattr(module, second)):
                yield Pair(prefix + first, prefix + second)
    if _is_norm(module) or (type(module).__name__ == "BatchNormAct2d" and _holds_its_own(module)):
        yield Pair(name, "")


def _is_norm(module: nn.Module) -> bool:
    return type(module) in {nn.BatchNorm2d, NormActivation}


def _holds_its_own(norm: nn.Module) -> bool:
    """Whether a norm of timm's has an activation that the kernels have, and drops no pixels between them."""
    act = getattr(norm, "act", None)
    return isinstance(act, nn.Module) and type(getattr(norm, "drop", None)) is nn.Identity and code_of(act) > 0


def join(model: nn.Module, pair: Pair) -> None:
    """Let a norm take over its activation, whose place an identity then holds."""
    norm = model.get_submodule(pair.norm)
    if isinstance(norm, NormActivation) or not isinstance(norm, nn.BatchNorm2d):
        return
    stock = type(norm)
    change_class(norm, NormActivation)
    assert isinstance(norm, NormActivation)  # noqa: S101  what the line before made
    norm.stock = stock
    own = getattr(norm, "act", None) or nn.Identity()
    norm.following = model.get_submodule(pair.activation) if pair.activation else own
    if pair.activation:
        model.set_submodule(pair.activation, nn.Identity())


def part(model: nn.Module, pair: Pair) -> None:
    """Undo `join`."""
    norm = model.get_submodule(pair.norm)
    if not isinstance(norm, NormActivation):
        return
    if pair.activation:
        model.set_submodule(pair.activation, norm.following)
    stock = norm.stock
    del norm.following, norm.stock
    change_class(norm, stock)


def block(model: nn.Module, name: str) -> MBConv:
    """The block of that name."""
    found = model.get_submodule(name)
    if not isinstance(found, MBConv):
        raise TypeError(f"{name} is not an MBConv")
    return found
