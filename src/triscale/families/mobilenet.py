"""MobileNetV1 (arXiv 1704.04861, Table 1), V2 (1801.04381, Table 2), V3 (1905.02244, Tables 1, 2); published widths."""

from collections.abc import Iterator
from dataclasses import replace

from triscale.spec import Activation, Head, Network, Norm, SqueezeExcite, Stage, Stem, scale

_V1_ROWS = ((64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2))
"""Channels, blocks, stride of the first block."""

_V2_ROWS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expand ratio, channels, blocks, stride: t, c, n, s of the paper."""

_SE = SqueezeExcite(ratio=0.25, of="inner", gate="hard_sigmoid", divisor=8, activation="relu")
_RE: Activation = "relu"
_HS: Activation = "hard_swish"

_V3Row = tuple[int, float, int, int, int, SqueezeExcite | None, Activation]

_V3_LARGE_ROWS: tuple[_V3Row, ...] = (
    (3, 1, 16, 1, 1, None, _RE),
    (3, 4, 24, 1, 2, None, _RE),
    (3, 3, 24, 1, 1, None, _RE),
    (5, 3, 40, 3, 2, _SE, _RE),
    (3, 6, 80, 1, 2, None, _HS),
    (3, 2.5, 80, 1, 1, None, _HS),
    (3, 2.3, 80, 2, 1, None, _HS),
    (3, 6, 112, 2, 1, _SE, _HS),
    (5, 6, 160, 3, 2, _SE, _HS),
)
"""Kernel, expand ratio, channels, blocks, stride, squeeze-excite, activation. The paper gives inner channels:
its 184 is 80 * 2.3."""

_V3_SMALL_ROWS: tuple[_V3Row, ...] = (
    (3, 1, 16, 1, 2, _SE, _RE),
    (3, 4.5, 24, 1, 2, None, _RE),
    (3, 88 / 24, 24, 1, 1, None, _RE),
    (5, 4, 40, 1, 2, _SE, _HS),
    (5, 6, 40, 2, 1, _SE, _HS),
    (5, 3, 48, 2, 1, _SE, _HS),
    (5, 6, 96, 3, 2, _SE, _HS),
)

V1_WIDTHS = (0.25, 0.5, 0.75)
V2_WIDTHS = (0.35, 0.5, 0.75, 1.4)
V3_WIDTHS = (0.75,)


def _v1() -> Network:
    """1.0-224, with SAME padding, as published."""
    return Network(
        name="mobilenet_v1",
        resolution=(224, 224),
        stem=Stem(channels=32),
        stages=tuple(Stage(operator="separable", channels=c, repeats=n, stride=s) for c, n, s in _V1_ROWS),
        head=Head(channels=None, dropout=0.001),
        activation="relu6",
        norm=Norm(eps=1e-3, momentum=0.01),
    )


def _v2() -> Network:
    """1.0-224, with padding and norm as in torchvision."""
    return Network(
        name="mobilenet_v2",
        resolution=(224, 224),
        stem=Stem(channels=32),
        stages=tuple(Stage(operator="mbconv", expand=t, channels=c, repeats=n, stride=s) for t, c, n, s in _V2_ROWS),
        head=Head(channels=1280, dropout=0.2),
        activation="relu6",
        norm=Norm(eps=1e-5, momentum=0.1),
        padding="symmetric",
    )


def _v3(size: str, rows: tuple[_V3Row, ...], head: int, hidden: int) -> Network:
    """1.0-224, with padding and norm as in torchvision."""
    return Network(
        name=f"mobilenet_v3_{size}",
        resolution=(224, 224),
        stem=Stem(channels=16),
        stages=tuple(
            Stage(
                operator="mbconv",
                kernel=k,
                expand=t,
                channels=c,
                repeats=n,
                stride=s,
                squeeze_excite=se,
                activation=act,
            )
            for k, t, c, n, s, se, act in rows
        ),
        head=Head(channels=head, hidden=hidden, dropout=0.2),
        activation="hard_swish",
        norm=Norm(eps=1e-3, momentum=0.01),
        padding="symmetric",
    )


def _narrower(base: Network, widths: tuple[float, ...], fixed: tuple[str, ...] = ()) -> Iterator[Network]:
    """The base and its width multipliers; `fixed` are fields of the head that a multiplier below 1 leaves alone."""
    yield base
    for width in widths:
        scaled = scale(base, width=width)
        kept = {field: getattr(base.head, field) for field in fixed if width < 1}
        yield replace(scaled, name=f"{base.name}_{round(100 * width):03}", head=replace(scaled.head, **kept))


def networks() -> Iterator[Network]:
    """V1, V2, V3-large and V3-small, each 1.0-224 first; the last digits of the others are hundredths of the width."""
    yield from _narrower(_v1(), V1_WIDTHS)
    yield from _narrower(_v2(), V2_WIDTHS, fixed=("channels",))
    yield from _narrower(_v3("large", _V3_LARGE_ROWS, 960, 1280), V3_WIDTHS, fixed=("hidden",))
    yield from _narrower(_v3("small", _V3_SMALL_ROWS, 576, 1024), V3_WIDTHS, fixed=("hidden",))
