"""`build`: a torch module from the same resolved blocks that `cost` counts."""

import math

from torch import Tensor, nn

from triscale.cost import count_resolved
from triscale.nn.blocks import BLOCKS, Stem
from triscale.nn.layers import ConvUnit
from triscale.spec import Network, Resolved, resolve


class Model(nn.Module):
    """A network as a module: stem, stages of blocks, head, classifier.

    It takes any height and width, not only those of `network.resolution`. In channels-last memory
    (`model.to(memory_format=torch.channels_last)`) depthwise networks run faster on most CPUs and GPUs. In eval mode
    the logits are `classifier(features(x)["head"].mean((2, 3)))`, which makes class activation maps exact.

    Attributes:
        network: the spec it was built from.
        classifier: the linear layer on the pooled map of the head.
    """

    def __init__(self, resolved: Resolved) -> None:
        super().__init__()
        network = resolved.network
        blocks = list(resolved.flat())
        stem, head = blocks[0][1], blocks[-1][1]
        self.network = network
        self.stem = Stem(stem, network.norm)
        stages = [nn.Sequential() for _ in network.stages]
        for index, (stage, block) in enumerate(blocks[1:-1]):
            drop_rate = network.stochastic_depth * index / (len(blocks) - 2)
            stages[stage - 1].append(BLOCKS[block.operator](block, network.norm, drop_rate))
        self.stages = nn.ModuleList(stages)
        last = head.layers[-1]
        self.head = ConvUnit(head.layers[0], head.padding, network.norm) if head.operator == "head" else nn.Identity()
        self.dropout = nn.Dropout(network.head.dropout)
        self.classifier = nn.Linear(last.in_channels, last.out_channels)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Pictures [n, input channels, h, w] -> logits [n, classes]."""
        logits: Tensor = self.classifier(self.dropout(self.forward_features(x).mean((2, 3))))
        return logits

    def forward_features(self, x: Tensor) -> Tensor:
        """Pictures [n, input channels, h, w] -> the last map before pooling, [n, c, h', w']."""
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        last: Tensor = self.head(x)
        return last

    def features(self, x: Tensor) -> dict[str, Tensor]:
        """The map after each part, by name, in order: "stem", "stage1", .., "head" (the last map before pooling)."""
        maps = {"stem": self.stem(x)}
        for index, stage in enumerate(self.stages, 1):
            x = maps[f"stage{index}"] = stage(x if index > 1 else maps["stem"])
        maps["head"] = self.head(x)
        return maps


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
