"""A ResNet for small images (arXiv 1512.03385, section 4.2) that knows nothing of triscale: depth and width as factors.

Three stages of 16, 32 and 64 channels at full, half and quarter size; identity shortcuts with zero padding (option A).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut without weights."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.stride, self.more = stride, channels - channels_in

    def forward(self, x: Tensor) -> Tensor:
        """Maps [n, channels_in, h, w] -> [n, channels, h / stride, w / stride]."""
        inner = F.relu(self.norm1(self.first(x)))
        shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return F.relu(self.norm2(self.second(inner)) + shortcut)


class CifarResNet(nn.Module):
    """Stem, three stages of equal depth, global average pooling, classifier."""

    def __init__(self, blocks: int, channels: int, num_classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        stages: list[nn.Module] = []
        before = channels
        for stage, stride in ((0, 1), (1, 2), (2, 2)):
            for index in range(blocks):
                stages.append(Block(before, channels << stage, stride if index == 0 else 1))
                before = channels << stage
        self.stages = nn.Sequential(*stages)
        self.classifier = nn.Linear(before, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Images [n, 3, h, w] -> logits [n, num_classes]."""
        maps = self.stages(F.relu(self.norm(self.stem(x))))
        logits: Tensor = self.classifier(torch.mean(maps, dim=(2, 3)))
        return logits


def build(depth: float = 1.0, width: float = 1.0, num_classes: int = 10, blocks: int = 3) -> CifarResNet:
    """ResNet-20 by default (6 * blocks + 2 layers), deeper and wider by factors."""
    return CifarResNet(max(1, round(blocks * depth)), max(4, round(16 * width)), num_classes)
