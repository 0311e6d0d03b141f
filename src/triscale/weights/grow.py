"""A larger network that begins as the function of a smaller one (Net2Net, arXiv 1511.05641).

Deeper: a new block ends in zeros, so that its skip is all that it answers. Wider: channel j is a copy of channel j mod
n of the smaller network's n. The rule needs nothing but the two counts, hence all that is added up or multiplied copies
the same channels. What reads copies shares the old weight among them; the shares are drawn and not equal (arXiv
2310.07999, Figure 3), so that copies get different gradients, and no noise has to tell them apart.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from triscale.errors import InputError
from triscale.nn import build
from triscale.spec import Block, Layer, Network
from triscale.weights.checkpoint import Checkpoint
from triscale.weights.match.mapping import own_names, places
from triscale.weights.peers.base import Place

LEAST, MOST = 0.5, 1.5
"""Between these a share is drawn, before the shares of all copies of a channel are made to sum to 1."""

_BLOCK_KEEPS = ("operator", "kernel", "stride", "activation", "gate", "padding", "skip", "pool", "squeeze_activation",
                "shortcut_kernel", "around", "pool_padding")  # fmt: skip
_LAYER_KEEPS = ("kernel", "stride", "bias", "norm", "activation", "kind", "before")
_IDEMPOTENT = ("relu", "relu6")
_GATES = ("squeeze", "excite")

At = tuple[int, int]
"""Stage (0: the stem, -1: the head) and position of a block."""


def grown(checkpoint: Checkpoint, network: Network) -> Checkpoint:
    """The larger network with weights by which it answers, in evaluation mode, what the smaller one does.

    Equal to rounding, at any image of any size; in training too as long as nothing is dropped. Blocks of `mbconv`,
    `fused_mbconv`, `basic`, `bottleneck` and `preactivation` may become wider and more, `separable` ones wider.
    Dropout, stochastic depth, momentum of the norms and resolution may be others. Uses torch's random numbers.

    Args:
        checkpoint: of the smaller network; not changed.
        network: the larger one; the number of its classes becomes that of the smaller.

    Raises:
        InputError: the larger one cannot have that function; the message says where and why.
    """
    refuse_growth(checkpoint.spec, network)
    large = replace(network, classes=checkpoint.spec.classes)
    narrow, wide = _by_block(checkpoint.spec), _by_block(large)
    fresh, state = build(large).state_dict(), dict[str, Tensor]()
    for at, ours in wide.items():
        state |= _copied(narrow[at], ours, checkpoint.state) if at in narrow else _silent(ours, fresh)
    kind = checkpoint.state["classifier.weight"].dtype
    return replace(
        checkpoint,
        network=large,
        state={name: one.to(kind) if one.is_floating_point() else one for name, one in state.items()},
        preprocessing=replace(checkpoint.preprocessing, resolution=None),  # that of the larger network
    )


def refuse_growth(small: Network, large: Network) -> None:
    """InputError where the larger network cannot have the function of the smaller; classes are not looked at."""
    large = replace(large, classes=small.classes)
    if fault := _unlike_networks(small, large) or _unlike(_by_block(small), _by_block(large)):
        raise InputError(
            f"{small.name} cannot grow into {large.name}: {fault}.\n"
            "Give a network that is only deeper, wider or of more pixels, such as one by `triscale scale`."
        )


def computed_as(network: Network, small: Network) -> Network:
    """The network with the padding and the norms of the smaller one, which weights of other libraries bring."""
    stem = replace(network.stem, pool_padding=small.stem.pool_padding)
    return replace(network, padding=small.padding, norm=small.norm, stem=stem)


def _by_block(network: Network) -> dict[At, list[Place]]:
    """The layers of each block."""
    found: dict[At, list[Place]] = {}
    for place in places(network):
        found.setdefault((place.stage, place.position), []).append(place)
    return found


def _unlike_networks(small: Network, large: Network) -> str:
    for what, one, other in (
        ("stages", len(small.stages), len(large.stages)),
        ("input channels", small.input_channels, large.input_channels),
        ("norms of eps", small.norm.eps, large.norm.eps),
    ):
        if one != other:
            return f"{what}: {one:g} became {other:g}"
    if any(stage.cell for stage in (*small.stages, *large.stages)):
        return "its cells join maps by more than sums"
    return ""


def _unlike(narrow: Mapping[At, list[Place]], wide: Mapping[At, list[Place]]) -> str:
    """Where and why the function cannot be kept; empty if it can."""
    if gone := narrow.keys() - wide.keys():
        return f"{_told(min(gone))} is gone"
    for at, ours in wide.items():
        block = ours[0].block
        fault = _unlike_blocks(narrow[at], ours) if at in narrow else _never_silent(block)
        if fault:
            return f"{_told(at)}, {block.operator}, {fault}"
    return ""


def _told(at: At) -> str:
    stage, position = at
    return {0: "the stem", -1: "the head"}.get(stage, f"block {position + 1} of stage {stage}")


def _never_silent(block: Block) -> str:
    """Why a new block cannot pass on what it is given; empty if it can."""
    if not block.skip or any(layer.role == "shortcut" for layer in block.layers):
        return "is new and has no skip that passes on what it is given"
    if block.operator in ("basic", "bottleneck") and block.activation not in _IDEMPOTENT:
        return f"is new, and the {block.activation} after its sum changes what the skip passes on"
    return ""


def _unlike_blocks(narrow: list[Place], wide: list[Place]) -> str:
    one, other = narrow[0].block, wide[0].block
    for name in _BLOCK_KEEPS:
        if getattr(one, name) != getattr(other, name):
            return f"has another {name}: {getattr(one, name)} became {getattr(other, name)}"
    roles = [[place.layer.role for place in some] for some in (narrow, wide)]
    if roles[0] != roles[1]:
        return f"has other layers: {', '.join(roles[0])} became {', '.join(roles[1])}"
    pairs = ((old.layer, new.layer) for old, new in zip(narrow, wide, strict=True))
    return next((fault for old, new in pairs if (fault := _unlike_layers(old, new))), "")


def _unlike_layers(old: Layer, new: Layer) -> str:
    for name in _LAYER_KEEPS:
        if getattr(old, name) != getattr(new, name):
            return f"has another {name} in its {old.role}: {getattr(old, name)} became {getattr(new, name)}"
    before, after = (old.in_channels, old.out_channels), (new.in_channels, new.out_channels)
    if after[0] < before[0] or after[1] < before[1]:
        return f"is narrower in its {old.role}: {before} channels became {after}"
    if not (_depthwise(old) and _depthwise(new)) and (old.groups, new.groups) != (1, 1):
        same = (before, old.groups) == (after, new.groups)
        return "" if same else f"convolves in groups in its {old.role}, which cannot become wider"
    return ""


def _depthwise(layer: Layer) -> bool:
    return layer.groups == layer.in_channels == layer.out_channels


def _silent(places: list[Place], fresh: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A new block with fresh weights, of which the last before the sum are zeros."""
    names = [own_names(place) for place in places]
    state = {
        name: one for name, one in fresh.items() if any(name.startswith((f"{n.layer}.", f"{n.norm}.")) for n in names)
    }
    last, end = next(
        (name, place.layer) for name, place in zip(names[::-1], places[::-1], strict=True)
        if place.layer.role not in _GATES
    )  # fmt: skip
    zeros = (f"{last.norm}.weight", f"{last.norm}.bias") if end.norm else (f"{last.layer}.weight",)
    return state | {name: torch.zeros_like(state[name]) for name in zeros}


def _copied(narrow: list[Place], wide: list[Place], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A block whose channels are copies of those of the smaller network's block."""
    found: dict[str, Tensor] = {}
    for place in wide:
        name, layer = own_names(place), place.layer
        old = next(one.layer for one in narrow if one.layer.role == layer.role)
        prefixes = (f"{name.layer}.", f"{name.norm}.")
        for key in (key for key in state if key.startswith(prefixes)):
            one = state[key]
            if one.dim():
                one = one[_copies(old.out_channels, layer.out_channels)]
            if one.dim() > 1 and layer.groups == 1:
                one = _shared(one, layer.in_channels)
            found[key] = one.clone()
    return found


def _copies(old: int, new: int) -> Tensor:
    """[new], which of the old channels each new one is a copy of."""
    return torch.arange(new) % old


def _shared(weight: Tensor, new: int) -> Tensor:
    """[out, old, ...] -> [out, new, ...]: the weights of the copies of a channel sum to the one it had."""
    old = weight.shape[1]
    if new == old:
        return weight
    copies = _copies(old, new)
    drawn = torch.empty(len(weight), new, dtype=torch.float64).uniform_(LEAST, MOST)
    sums = torch.zeros(len(weight), old, dtype=torch.float64).index_add_(1, copies, drawn)
    share = drawn / sums[:, copies]
    return (weight[:, copies].double() * share.reshape(*share.shape, *(1,) * (weight.dim() - 2))).to(weight.dtype)
