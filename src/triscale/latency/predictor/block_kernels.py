"""From a block to its kernels: convolutions with what follows them, squeeze-excite, poolings, the head."""

from collections.abc import Iterator
from functools import lru_cache

from triscale.latency.predictor.kernel_features import Kernel, Vectors, convolution_kernel
from triscale.spec import Block, Layer

SQUEEZE, HEAD, POOL, SILU = "squeeze", "head", "pool", ".silu"
"""Roles of kernels that are not layer; of a SiLU: its layer's role and this."""

_BIG = 1 << 16
"""Elements above which a map does not stay in the nearest cache."""


@lru_cache(maxsize=1 << 14)
def block_kernels(block: Block, vectors: Vectors) -> tuple[Kernel, ...]:
    """The kernels of a block, in the order of its layers."""
    found = [kernel for layer in block.layers if _is_kernel(layer) for kernel in _layer(block, layer, vectors)]
    if block.squeeze_channels:
        found.append(_squeeze(block, vectors))
    if block.operator == "stem" and block.pool:
        found.append(Kernel("pool", POOL, _map(block)))
    if block.cell:
        found += _of_cell(block)
    if block.operator in ("head", "classifier"):
        found.append(_head(block))
    return tuple(found)


def last_layer(block: Block) -> str:
    """The role of the layer whose kernel adds the skip connection."""
    roles = [layer.role for layer in block.layers if _is_kernel(layer) and layer.role != "shortcut"]
    return roles[-1] if roles else ""


def _is_kernel(layer: Layer) -> bool:
    return layer.kind != "linear" and layer.role not in ("squeeze", "excite")


def _layer(block: Block, layer: Layer, vectors: Vectors) -> Iterator[Kernel]:
    elements = float(layer.output[0] * layer.output[1] * vectors.held(layer.out_channels))
    if layer.kind == "norm":
        yield Kernel("norm", layer.role, {"elements": elements, "one": 1.0})
        return
    kind, role, terms = convolution_kernel(layer, vectors)
    sums = block.skip and layer.role == last_layer(block)
    after = block.activation if sums and block.operator in ("basic", "bottleneck") else layer.activation
    further = {"sum": elements} if sums else {}
    separate = after == "silu" and vectors.separate_silu
    if after and after != "relu" and not separate:  # a ReLU is free: its maximum is taken on the way to memory
        further[after] = elements
    yield Kernel(kind, role, terms | further)
    if separate:
        big = max(0.0, elements - _BIG)
        yield Kernel("silu", role + SILU, {"elements": elements, "big": big, "one": 1.0})


def _squeeze(block: Block, vectors: Vectors) -> Kernel:
    squeeze = next(layer for layer in block.layers if layer.role == "squeeze")
    pixels = block.output[0] * block.output[1]
    maps, weights = float(squeeze.in_channels * pixels), float(squeeze.in_channels * squeeze.out_channels)
    ragged = float(squeeze.out_channels % vectors.block > 0)
    terms = {
        "elements": maps,
        "big": max(0.0, maps - _BIG),
        "channel": float(squeeze.in_channels),
        "weights": weights,
        "ragged": ragged,
        "ragged_weights": ragged * weights,
        "silu": float(squeeze.activation == "silu"),
        "last": maps * (block.operator in ("basic", "bottleneck")),
        "one": 1.0,
    }
    return Kernel("squeeze", SQUEEZE, terms)


def _head(block: Block) -> Kernel:
    linear = [layer for layer in block.layers if layer.kind == "linear"]
    terms = {
        "elements": float(block.inner_channels * block.input[0] * block.input[1]),
        "weights": float(sum(layer.in_channels * layer.out_channels for layer in linear)),
        "layers": float(len(linear)),
        "one": 1.0,
    }
    return Kernel("head", HEAD, terms)


def _map(block: Block) -> dict[str, float]:
    return {"elements": float(block.output[0] * block.output[1] * block.out_channels), "one": 1.0}


def _of_cell(block: Block) -> Iterator[Kernel]:
    """Poolings, and for each pair a sum."""
    for index, branch in enumerate(block.plan.operations):
        if pool := branch.pool:
            elements = float(pool.output[0] * pool.output[1] * pool.channels)
            yield Kernel("pool", f"operation{index}", {"elements": elements, "one": 1.0})
    sums = float(block.output[0] * block.output[1] * block.inner_channels * len(block.plan.operations) // 2)
    yield Kernel("norm", "cell", {"elements": sums, "one": len(block.plan.operations) / 2})
