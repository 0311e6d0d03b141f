"""ResNet-18 to ResNet-200 (arXiv 1512.03385, Table 1; 200 from arXiv 1603.05027), v1.5 (stride in the 3x3)."""

from collections.abc import Iterator

from triscale.spec import Head, Network, Norm, Operator, Stage, Stem

_REPEATS: dict[int, tuple[Operator, tuple[int, int, int, int]]] = {
    18: ("basic", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
    200: ("bottleneck", (3, 24, 36, 3)),
}


def networks() -> Iterator[Network]:
    """Every member, shallowest first."""
    for layers, (operator, repeats) in _REPEATS.items():
        widths = (64, 128, 256, 512) if operator == "basic" else (256, 512, 1024, 2048)
        expand = 1.0 if operator == "basic" else 0.25
        yield Network(
            name=f"resnet{layers}",
            resolution=(224, 224),
            stem=Stem(channels=64, kernel=7, pool=True),
            stages=tuple(
                Stage(operator=operator, channels=c, repeats=n, stride=1 if i == 0 else 2, expand=expand)
                for i, (c, n) in enumerate(zip(widths, repeats, strict=True))
            ),
            head=Head(channels=None),
            activation="relu",
            norm=Norm(eps=1e-5, momentum=0.1),
            padding="symmetric",
        )
