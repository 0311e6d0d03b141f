"""MnasNet-A1, -B1 and -small (arXiv 1807.11626, Figure 7; rows of the authors' `mnasnet_models.py`)."""

from collections.abc import Iterator

from triscale.spec import Head, Network, Norm, SqueezeExcite, Stage, Stem

_SE = SqueezeExcite(ratio=0.25, of="input")

_Row = tuple[int, float, int, int, int, SqueezeExcite | None]

_ROWS: dict[str, tuple[int, tuple[_Row, ...]]] = {
    "a1": (32, (
        (3, 1, 16, 1, 1, None), (3, 6, 24, 2, 2, None), (5, 3, 40, 3, 2, _SE), (3, 6, 80, 4, 2, None),
        (3, 6, 112, 2, 1, _SE), (5, 6, 160, 3, 2, _SE), (3, 6, 320, 1, 1, None),
    )),
    "b1": (32, (
        (3, 1, 16, 1, 1, None), (3, 3, 24, 3, 2, None), (5, 3, 40, 3, 2, None), (5, 6, 80, 3, 2, None),
        (3, 6, 96, 2, 1, None), (5, 6, 192, 4, 2, None), (3, 6, 320, 1, 1, None),
    )),
    "small": (8, (
        (3, 1, 8, 1, 1, None), (3, 3, 16, 1, 2, None), (3, 6, 16, 2, 2, None), (5, 6, 32, 4, 2, _SE),
        (3, 6, 32, 3, 1, _SE), (5, 6, 88, 3, 2, _SE), (3, 6, 144, 1, 1, None),
    )),
}  # fmt: skip
"""Stem, then kernel, expand ratio, channels, blocks, stride, squeeze-excite of each stage."""


def networks() -> Iterator[Network]:
    """A1, B1 and small; the activation is ReLU, padding and norm are as in torchvision's and timm's."""
    for size, (stem, rows) in _ROWS.items():
        yield Network(
            name=f"mnasnet_{size}",
            resolution=(224, 224),
            stem=Stem(channels=stem),
            stages=tuple(
                Stage(operator="mbconv", kernel=k, expand=t, channels=c, repeats=n, stride=s, squeeze_excite=se)
                for k, t, c, n, s, se in rows
            ),
            head=Head(channels=1280, dropout=0.2),
            activation="relu",
            norm=Norm(eps=1e-5, momentum=0.1),
            padding="symmetric",
        )
