"""The blocks of the families, each built from a resolved block; nothing here works out a channel or a size."""

from torch import Tensor, nn

from triscale.nn.primitives import ConvUnit, MaxPool, NormUnit, SqueezeExcite, StochasticDepth, activation
from triscale.spec import Block, Layer, Norm


def _layers(block: Block) -> dict[str, Layer]:
    return {layer.role: layer for layer in block.layers}


def _squeeze_excite(layers: dict[str, Layer], block: Block) -> nn.Module:
    if "squeeze" not in layers:
        return nn.Identity()
    return SqueezeExcite(layers["squeeze"], layers["excite"], block.padding)


class Stem(ConvUnit):
    """Convolutions, each with batch norm and activation as far as the spec has them, and ResNet's max pooling."""

    def __init__(self, block: Block, norm: Norm) -> None:
        *deep, last = block.layers
        super().__init__(last, block.padding, norm)
        self.deep = nn.Sequential(*(ConvUnit(layer, block.padding, norm) for layer in deep))
        self.pool = MaxPool(block.pool_padding) if block.pool else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[n, in, h, w] -> [n, out, h', w']."""
        y: Tensor = self.pool(super().forward(self.deep(x)))
        return y


class MBConv(nn.Module):
    """1x1 expand, depthwise, squeeze-excite, 1x1 project, identity skip (arXiv 1801.04381, 1807.11626, 1905.11946)."""

    def __init__(self, block: Block, norm: Norm, drop_rate: float) -> None:
        super().__init__()
        layers = _layers(block)
        self.expand = ConvUnit(layers["expand"], block.padding, norm) if "expand" in layers else nn.Identity()
        self.depthwise = ConvUnit(layers["depthwise"], block.padding, norm)
        self.squeeze_excite = _squeeze_excite(layers, block)
        self.project = ConvUnit(layers["project"], block.padding, norm)
        self.stochastic_depth = StochasticDepth(drop_rate) if block.skip else None

    def forward(self, x: Tensor) -> Tensor:
        """[n, in, h, w] -> [n, out, h', w']."""
        branch: Tensor = self.project(self.squeeze_excite(self.depthwise(self.expand(x))))
        return branch if self.stochastic_depth is None else x + self.stochastic_depth(branch)


class FusedMBConv(nn.Module):
    """A full convolution for MBConv's expand and depthwise; with expand 1 all there is (arXiv 2104.00298, Figure 2)."""

    def __init__(self, block: Block, norm: Norm, drop_rate: float) -> None:
        super().__init__()
        layers = _layers(block)
        self.conv = ConvUnit(layers["conv"], block.padding, norm)
        self.squeeze_excite = _squeeze_excite(layers, block)
        self.project = ConvUnit(layers["project"], block.padding, norm) if "project" in layers else nn.Identity()
        self.stochastic_depth = StochasticDepth(drop_rate) if block.skip else None

    def forward(self, x: Tensor) -> Tensor:
        """[n, in, h, w] -> [n, out, h', w']."""
        branch: Tensor = self.project(self.squeeze_excite(self.conv(x)))
        return branch if self.stochastic_depth is None else x + self.stochastic_depth(branch)


class Separable(nn.Module):
    """Depthwise, then 1x1, each with norm and activation (MobileNetV1)."""

    def __init__(self, block: Block, norm: Norm, drop_rate: float) -> None:  # noqa: ARG002  one signature for all blocks
        super().__init__()
        layers = _layers(block)
        self.depthwise = ConvUnit(layers["depthwise"], block.padding, norm)
        self.pointwise = ConvUnit(layers["pointwise"], block.padding, norm)

    def forward(self, x: Tensor) -> Tensor:
        """[n, in, h, w] -> [n, out, h', w']."""
        y: Tensor = self.pointwise(self.depthwise(x))
        return y


class _Residual(nn.Module):
    """A branch, squeeze-excite at its end, a shortcut (identity or projecting), the activation after their sum."""

    def __init__(self, block: Block, norm: Norm, drop_rate: float) -> None:
        super().__init__()
        layers = _layers(block)
        self.squeeze_excite = _squeeze_excite(layers, block)
        self.shortcut = ConvUnit(layers["shortcut"], block.padding, norm) if "shortcut" in layers else nn.Identity()
        self.stochastic_depth = StochasticDepth(drop_rate) if block.skip else None
        self.activation = activation(block.activation)

    def _join(self, x: Tensor, branch: Tensor) -> Tensor:
        branch = self.squeeze_excite(branch)
        if self.stochastic_depth is not None:
            branch = self.shortcut(x) + self.stochastic_depth(branch)
        y: Tensor = self.activation(branch)
        return y


class Basic(_Residual):
    """Two convolutions beside a shortcut (ResNet-18, -34)."""

    def __init__(self, block: Block, norm: Norm, drop_rate: float) -> None:
        super().__init__(block, norm, drop_rate)
        layers = _layers(block)
        self.conv1 = ConvUnit(layers["conv1"], block.padding, norm)
        self.conv2 = ConvUnit(layers["conv2"], block.padding, norm)

    def forward(self, x: Tensor) -> Tensor:
        """[n, in, h, w] -> [n, out, h', w']."""
        return self._join(x, self.conv2(self.conv1(x)))


class Bottleneck(_Residual):
    """1x1 reduce, spatial convolution (with the stride: v1.5), 1x1 project beside a shortcut (ResNet-50 and deeper)."""

    def __init__(self, block: Block, norm: Norm, drop_rate: float) -> None:
        super().__init__(block, norm, drop_rate)
        layers = _layers(block)
        self.reduce = ConvUnit(layers["reduce"], block.padding, norm)
        self.conv = ConvUnit(layers["conv"], block.padding, norm)
        self.project = ConvUnit(layers["project"], block.padding, norm)

    def forward(self, x: Tensor) -> Tensor:
        """[n, in, h, w] -> [n, out, h', w']."""
        return self._join(x, self.project(self.conv(self.reduce(x))))


class Preactivation(nn.Module):
    """A bottleneck whose convolutions come after norm and activation (arXiv 1603.05027); an identity skip is bare."""

    def __init__(self, block: Block, norm: Norm, drop_rate: float) -> None:
        super().__init__()
        layers = _layers(block)
        self.entry = NormUnit(layers["entry"], norm)
        self.reduce = ConvUnit(layers["reduce"], block.padding, norm)
        self.conv = ConvUnit(layers["conv"], block.padding, norm)
        self.project = ConvUnit(layers["project"], block.padding, norm)
        self.shortcut = ConvUnit(layers["shortcut"], block.padding, norm) if "shortcut" in layers else None
        self.stochastic_depth = StochasticDepth(drop_rate) if block.skip else None

    def forward(self, x: Tensor) -> Tensor:
        """[n, in, h, w] -> [n, out, h', w']."""
        entered = self.entry(x)
        branch: Tensor = self.project(self.conv(self.reduce(entered)))
        if self.stochastic_depth is None:
            return branch
        kept = x if self.shortcut is None else self.shortcut(entered)
        y: Tensor = kept + self.stochastic_depth(branch)
        return y


BLOCKS: dict[str, type[MBConv | FusedMBConv | Separable | Basic | Bottleneck | Preactivation]] = {
    "mbconv": MBConv,
    "fused_mbconv": FusedMBConv,
    "separable": Separable,
    "basic": Basic,
    "bottleneck": Bottleneck,
    "preactivation": Preactivation,
}
