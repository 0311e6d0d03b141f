"""Where the weights of a network's layers come from: drawn from a seed, or a state dict with its norms folded."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from triscale.errors import InputError
from triscale.spec import Layer

Floats = NDArray[np.float32]

_POOL = 1 << 20
"""Draws that the weights of all layers repeat: drawing 60 million normals takes seconds, repeating them none."""


class NormWeights(NamedTuple):
    """What a norm applies to its channels, each [channels]."""

    scale: Floats
    bias: Floats
    mean: Floats
    variance: Floats


class LayerWeights(Protocol):
    """Gives the weights of a layer by where the module of the same network has them."""

    def folded(self, conv: str, norm: str, layer: Layer) -> tuple[Floats, Floats | None]:
        """The weight [out, in / groups, k, k], of a linear layer [out, in], and the bias [out] if there is any.

        Args:
            conv: the module's name of the convolution or linear layer.
            norm: and of the norm that is folded into it.
            layer: says whether there is a norm or a bias.
        """

    def norm(self, name: str, layer: Layer) -> NormWeights:
        """A norm that stands alone."""


def weight_shape(layer: Layer) -> tuple[int, ...]:
    """[out, in / groups, k, k], of a linear layer [out, in]."""
    kernel = () if layer.kind == "linear" else (layer.kernel, layer.kernel)
    return (layer.out_channels, layer.in_channels // layer.groups, *kernel)


class RandomWeights:
    """Normal draws of variance 1 / fan-in, which keep activations of every network far from 0 and from infinity."""

    def __init__(self, seed: int) -> None:
        self._pool = np.random.default_rng(seed).standard_normal(_POOL, dtype=np.float32)

    def folded(self, conv: str, norm: str, layer: Layer) -> tuple[Floats, Floats | None]:  # noqa: ARG002  a protocol
        """See `LayerWeights`."""
        shape = weight_shape(layer)
        fan_in = int(np.prod(shape[1:]))
        weight = self._draw(shape, fan_in**-0.5)
        return weight, self._draw((shape[0],), 0.1) if layer.bias or layer.norm else None

    def norm(self, name: str, layer: Layer) -> NormWeights:  # noqa: ARG002  a protocol
        """See `LayerWeights`."""
        channels = (layer.out_channels,)
        one = np.ones(channels, dtype=np.float32)
        return NormWeights(one, self._draw(channels, 0.1), self._draw(channels, 0.1), one)

    def _draw(self, shape: tuple[int, ...], scale: float) -> Floats:
        return np.resize(self._pool, shape) * np.float32(scale)


class StoredWeights:
    """The weights of a state dict of the network's module, norms folded in float64 and rounded once.

    Args of the constructor: `state`, arrays by the names of `nn.build(network).state_dict()`; `eps`, of the norms.
    """

    def __init__(self, state: Mapping[str, NDArray[Any]], eps: float) -> None:
        self._state, self._eps = state, eps

    def folded(self, conv: str, norm: str, layer: Layer) -> tuple[Floats, Floats | None]:
        """See `LayerWeights`."""
        weight = self._get(f"{conv}.weight", weight_shape(layer))
        if not layer.norm:
            return weight, self._get(f"{conv}.bias", weight.shape[:1]) if layer.bias else None
        scale, bias, mean, variance = (part.astype(np.float64) for part in self.norm(norm, layer))
        factor = scale / np.sqrt(variance + self._eps)
        folded = weight * factor.reshape(-1, *[1] * (weight.ndim - 1))
        return folded.astype(np.float32), (bias - mean * factor).astype(np.float32)

    def norm(self, name: str, layer: Layer) -> NormWeights:
        """See `LayerWeights`."""
        parts = ("weight", "bias", "running_mean", "running_var")
        return NormWeights(*(self._get(f"{name}.{part}", (layer.out_channels,)) for part in parts))

    def _get(self, name: str, shape: tuple[int, ...]) -> Floats:
        if name not in self._state:
            raise InputError(f"the weights lack {name}; they belong to another network.")
        value = np.asarray(self._state[name], dtype=np.float32)
        if value.shape != shape:
            raise InputError(f"{name} is {list(value.shape)}, the network has {list(shape)}.")
        return value
