"""MobileNetV1 (arXiv 1704.04861, Table 1) and MobileNetV2 (arXiv 1801.04381, Table 2)."""

from collections.abc import Iterator

from triscale.spec import Head, Network, Norm, Stage, Stem

_V1_ROWS = ((64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2))
"""Channels, blocks, stride of the first block."""

_V2_ROWS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expand ratio, channels, blocks, stride: t, c, n, s of the paper."""


def networks() -> Iterator[Network]:
    """MobileNetV1 1.0-224 (SAME padding, as published) and MobileNetV2 1.0-224 (padding and norm as in torchvision)."""
    yield Network(
        name="mobilenet_v1",
        resolution=(224, 224),
        stem=Stem(channels=32),
        stages=tuple(Stage(operator="separable", channels=c, repeats=n, stride=s) for c, n, s in _V1_ROWS),
        head=Head(channels=None, dropout=0.001),
        activation="relu6",
        norm=Norm(eps=1e-3, momentum=0.01),
    )
    yield Network(
        name="mobilenet_v2",
        resolution=(224, 224),
        stem=Stem(channels=32),
        stages=tuple(Stage(operator="mbconv", expand=t, channels=c, repeats=n, stride=s) for t, c, n, s in _V2_ROWS),
        head=Head(channels=1280, dropout=0.2),
        activation="relu6",
        norm=Norm(eps=1e-5, momentum=0.1),
        padding="symmetric",
    )
