"""`build`: a torch module from the same resolved blocks that `cost` counts."""

import math

import torch
from torch import Tensor, nn

from triscale.cost import count_resolved
from triscale.nn.blocks import BLOCKS, Stem
from triscale.nn.cells import Cell, CellStage, State, advance, current
from triscale.nn.layers import ConvUnit, NormUnit, activation
from triscale.spec import Block, Network, Norm, Resolved, resolve


class Model(nn.Module):
    """A network as a module: stem, stages of blocks, head, classifier.

    It takes any height and width, not only those of `network.resolution`. In channels-last memory
    (`model.to(memory_format=torch.channels_last)`) depthwise networks run faster on most CPUs and GPUs. In eval mode
    the logits are `classifier(hidden(features(x)["head"].mean((2, 3))))`; where `hidden` is empty, as in all but
    MobileNetV3, they are linear in the map, which makes class activation maps exact.

    Attributes:
        network: the spec it was built from.
        recompute: whether backward makes the maps inside of blocks again, instead of keeping them (activation
            checkpointing): the same bits in less memory, for one more forward pass through the blocks.
        hidden: what stands between pooling and dropout.
        classifier: the last linear layer.
    """

    def __init__(self, resolved: Resolved) -> None:
        super().__init__()
        network = resolved.network
        blocks = list(resolved.flat())
        stem, head = blocks[0][1], blocks[-1][1]
        self.network, self.recompute = network, False
        self.stem = Stem(stem, network.norm)
        stages = [CellStage() if stage.cell else nn.Sequential() for stage in network.stages]
        for index, (stage, block) in enumerate(blocks[1:-1]):
            drop_rate = network.stochastic_depth * index / (len(blocks) - 2)
            kind = Cell if block.cell else BLOCKS[block.operator]
            stages[stage - 1].append(kind(block, network.norm, drop_rate))
        self.stages = nn.ModuleList(stages)
        self.head = _head(head, network.norm)
        self.hidden = _hidden(head)
        self.dropout = nn.Dropout(network.head.dropout)
        self.classifier = nn.Linear(head.layers[-1].in_channels, head.layers[-1].out_channels)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures [n, input channels, h, w] -> logits [n, classes]."""
        logits: Tensor = self.classifier(self.dropout(self.hidden(self.forward_features(x).mean((2, 3)))))
        return logits

    def forward_features(self, x: Tensor) -> Tensor:
        """Pictures [n, input channels, h, w] -> the last map before pooling, [n, c, h', w']."""
        state: State = self.stem(x)
        recompute = self.recompute and torch.is_grad_enabled()
        for stage in self.stages:
            state = advance(stage, state, recompute=recompute)
        state = current(state)  # lets the map before it go
        last: Tensor = self.head(state)
        return last

    def features(self, x: Tensor) -> dict[str, Tensor]:
        """The map after each part, by name, in order: "stem", "stage1", .., "head" (the last map before pooling)."""
        state: State = self.stem(x)
        maps = {"stem": current(state)}
        for index, stage in enumerate(self.stages, 1):
            state = advance(stage, state)
            maps[f"stage{index}"] = current(state)
        maps["head"] = self.head(current(state))
        return maps


def _head(block: Block, norm: Norm) -> nn.Module:
    """What is done to the last stage's map before pooling."""
    first = block.layers[0]
    if block.operator == "head":
        return ConvUnit(first, block.padding, norm)
    if first.kind == "norm":
        return NormUnit(first, norm)
    return activation(block.activation, keeps_input=True) if "activation" in block.around else nn.Identity()


def _hidden(block: Block) -> nn.Sequential:
    """MobileNetV3's linear layer with activation after pooling; empty elsewhere."""
    if not block.hidden_channels:
        return nn.Sequential()
    return nn.Sequential(nn.Linear(block.inner_channels, block.hidden_channels), activation(block.activation))


def build(network: Network) -> Model:
    """The network as a module with fresh weights, in training mode, on torch's default device.

    Raises:
        InputError: above 10,000 layers or 1e15 MACs; nothing has been allocated then.
    """
    resolved = resolve(network)
    count_resolved(resolved)
    return Model(resolved)


def initialise(model: nn.Module) -> None:
    """Fresh weights as in the authors' code (`efficientnet_model.py`).

    Convolutions: normal, variance 2 / (kernel^2 x outputs of a group), not truncated. Linear: uniform within
    +-1 / sqrt(outputs). Biases 0, norms 1 and 0.
    """
    for module in model.modules():
        match module:
            case nn.Conv2d():
                fan_out = module.weight[0, 0].numel() * module.out_channels // module.groups
                nn.init.normal_(module.weight, 0.0, math.sqrt(2 / fan_out))
            case nn.Linear():
                bound = 1 / math.sqrt(module.out_features)
                nn.init.uniform_(module.weight, -bound, bound)
            case nn.BatchNorm2d():
                module.reset_parameters()
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
