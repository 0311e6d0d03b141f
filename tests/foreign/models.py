"""Callables as users write them, good and bad."""

import sys

import torch
from torch import Tensor, nn


class Tiny(nn.Module):
    """A convolution, pooling, and a classifier."""

    def __init__(self, channels: int = 8, num_classes: int = 10) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, padding=1)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Images -> logits."""
        logits: Tensor = self.classifier(self.conv(x).relu().mean((2, 3)))
        return logits


def tiny(width: float = 1.0, num_classes: int = 10) -> nn.Module:
    """One dimension besides resolution."""
    return Tiny(round(8 * width), num_classes)


def reads_numbers(width: float = 1.0) -> nn.Module:
    """Cannot be built without data."""
    return Tiny(int(torch.tensor(8 * width).round().item()))


class Branching(Tiny):
    """Cannot be run without data."""

    def forward(self, x: Tensor) -> Tensor:
        """Images -> logits."""
        return super().forward(x if x.sum().item() >= 0 else -x)


def branches(width: float = 1.0) -> nn.Module:
    """Cannot be run without data."""
    return Branching(round(8 * width))


class Functional(nn.Module):
    """A convolution by function, with a frozen part."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(5, 3, 1, 1))
        self.frozen = nn.Parameter(torch.zeros(7), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Images -> logits."""
        return nn.functional.conv2d(x, self.weight).mean((2, 3))


def fixed_size(depth: float = 1.0, width: float = 1.0, num_classes: int = 10) -> nn.Module:
    """Images of 16 px only, and a depth that moves nothing."""
    del depth
    wide = round(4 * width)
    return nn.Sequential(nn.Conv2d(3, wide, 1), nn.Flatten(), nn.Linear(wide * 16 * 16, num_classes))


def by_keywords(**options: int) -> nn.Module:
    """As torchvision's builders: the signature names nothing."""
    return Tiny(**options)


def needs_blocks(blocks: int, width: float = 1.0) -> nn.Module:
    """A parameter without a default."""
    return Tiny(round(blocks * width))


def sized(resolution: int = 48) -> nn.Module:
    """Says itself which size it wants."""
    return nn.Sequential(nn.AvgPool2d(resolution), nn.Flatten(), nn.Linear(3, 4))


def only_positional(width: float, /) -> nn.Module:
    """Cannot be called by names."""
    return tiny(width)


def no_module() -> object:
    """Returns a dict."""
    return {}


def no_parameters() -> nn.Module:
    """Nothing to train."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


def maps_out() -> nn.Module:
    """Returns maps."""
    return nn.Conv2d(3, 4, 1)


def tuple_out() -> nn.Module:
    """Returns a tuple."""

    class Two(Tiny):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
            logits = super().forward(x)
            return logits, logits

    return Two()


def fails_when_wide(width: float = 1.0, num_classes: int = 10) -> nn.Module:
    """Fails at a size."""
    if width > 1:
        raise ValueError("at most 8 channels\nand more lines")
    return tiny(width, num_classes)


def exits() -> nn.Module:
    """Ends the process, as a script does."""
    sys.exit(3)


number = 3


def coarse(depth: float = 1.0, width: float = 1.0, resolution: int = 16) -> nn.Module:
    """Grows by a factor of four in each dimension."""
    wide = 8 * 4 ** round(depth - 1) * 4 ** round(width - 1) * 4 ** round((resolution / 16 - 1) * 2)
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, wide), nn.Linear(wide, 4))


def stack(depth: float = 1.0, width: float = 1.0, num_classes: int = 4) -> nn.Module:
    """Ten convolutions of 40 channels, by default."""
    wide = round(40 * width)
    layers: list[nn.Module] = [nn.Conv2d(3, wide, 1)]
    layers += [nn.Conv2d(wide, wide, 3, padding=1) for _ in range(round(10 * depth))]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(wide, num_classes))


class TwoHeads(Tiny):
    """Two layers could be the last one."""

    def __init__(self, num_classes: int) -> None:
        super().__init__(4, num_classes)
        self.other = nn.Linear(4, num_classes)


def two_heads(num_classes: int = 10) -> nn.Module:
    """Which layer gives the classes is not certain."""
    return TwoHeads(num_classes)
