"""EfficientNetV2 (arXiv 2104.00298, Table 4; rows and coefficients of the authors' `effnetv2_configs.py`)."""

from collections.abc import Iterator
from dataclasses import replace

from triscale.families.efficientnet import MemberFactors
from triscale.spec import Head, Network, Norm, SqueezeExcite, Stage, Stem, scale

_SE = SqueezeExcite(ratio=0.25, of="input")

_Row = tuple[float, int, int, int, SqueezeExcite | None]

_ROWS: dict[str, tuple[int, int, float, tuple[_Row, ...]]] = {
    "s": (24, 384, 0.2, (
        (1, 24, 2, 1, None), (4, 48, 4, 2, None), (4, 64, 4, 2, None),
        (4, 128, 6, 2, _SE), (6, 160, 9, 1, _SE), (6, 256, 15, 2, _SE),
    )),
    "m": (24, 480, 0.3, (
        (1, 24, 3, 1, None), (4, 48, 5, 2, None), (4, 80, 5, 2, None),
        (4, 160, 7, 2, _SE), (6, 176, 14, 1, _SE), (6, 304, 18, 2, _SE), (6, 512, 5, 1, _SE),
    )),
    "l": (32, 480, 0.4, (
        (1, 32, 4, 1, None), (4, 64, 7, 2, None), (4, 96, 7, 2, None),
        (4, 192, 10, 2, _SE), (6, 224, 19, 1, _SE), (6, 384, 25, 2, _SE), (6, 640, 7, 1, _SE),
    )),
    "xl": (32, 512, 0.4, (
        (1, 32, 4, 1, None), (4, 64, 8, 2, None), (4, 96, 8, 2, None),
        (4, 192, 16, 2, _SE), (6, 256, 24, 1, _SE), (6, 512, 32, 2, _SE), (6, 640, 8, 1, _SE),
    )),
    "b0": (32, 224, 0.2, (
        (1, 16, 1, 1, None), (4, 32, 2, 2, None), (4, 48, 2, 2, None),
        (4, 96, 3, 2, _SE), (6, 112, 5, 1, _SE), (6, 192, 8, 2, _SE),
    )),
}  # fmt: skip
"""Stem, evaluation side in pixels, dropout, then expand ratio, channels, blocks, stride, squeeze-excite of each stage;
a stage without squeeze-excite is of fused blocks. Training uses smaller images: 300, 384, 384, 384 and 192 px."""

MEMBERS = {
    "b1": MemberFactors(1.0, 1.1, 240, 0.2),
    "b2": MemberFactors(1.1, 1.2, 260, 0.3),
    "b3": MemberFactors(1.2, 1.4, 300, 0.3),
}
"""Scaled from V2-B0, whose rounding has no floor of 90%."""


def _tabled(size: str) -> Network:
    stem, side, dropout, rows = _ROWS[size]
    return Network(
        name=f"efficientnetv2_{size}",
        resolution=(side, side),
        stem=Stem(channels=stem),
        stages=tuple(
            Stage(
                operator="mbconv" if se else "fused_mbconv",
                expand=t, channels=c, repeats=n, stride=s, squeeze_excite=se,
            )
            for t, c, n, s, se in rows
        ),
        head=Head(channels=1280, dropout=dropout),
        norm=Norm(eps=1e-3, momentum=0.1),
        stochastic_depth=0.2,
        channel_floor=0,
    )  # fmt: skip


def networks() -> Iterator[Network]:
    """S, M, L, XL, then B0 to B3."""
    yield from (_tabled(size) for size in _ROWS)
    base = _tabled("b0")
    for name, given in MEMBERS.items():
        scaled = scale(base, depth=given.depth, width=given.width)
        head = replace(scaled.head, dropout=given.dropout)
        side = given.side
        yield replace(scaled, name=f"efficientnetv2_{name}", resolution=(side, side), head=head)
