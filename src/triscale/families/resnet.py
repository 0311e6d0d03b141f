"""ResNet-18 to ResNet-200 (arXiv 1512.03385, Table 1; 200 from arXiv 1603.05027), v1.5 (stride in the 3x3).

The pre-activation ResNet-164 and ResNet-1001 are for images of 32 px (arXiv 1603.05027, Table 3).
"""

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

PREACTIVATION_LAYERS = (164, 1001)
"""Three layers a block, three stages, the stem and the classifier: 9 n + 2."""


def networks() -> Iterator[Network]:
    """Every member, shallowest first within each kind."""
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
    yield from (_preactivation(layers) for layers in PREACTIVATION_LAYERS)


def _preactivation(layers: int) -> Network:
    return Network(
        name=f"resnet{layers}",
        resolution=(32, 32),
        stem=Stem(channels=16, stride=1, after="nothing"),
        stages=tuple(
            Stage(operator="preactivation", channels=c, repeats=(layers - 2) // 9, stride=s, expand=0.25)
            for c, s in ((64, 1), (128, 2), (256, 2))
        ),
        head=Head(channels=None, before="norm_activation"),
        activation="relu",
        norm=Norm(eps=1e-5, momentum=0.1),
        padding="symmetric",
        classes=10,
    )
