"""Baselines of our own for small images (20 to 64 px), about 0.5 to 10 M MACs.

They are made to be scaled: channels are multiples of 4 and every stage has at least two blocks, so that small steps of
width and depth exist, and they are shallow, so that depth has something to give. The widths are those of a small scan
for which depth, width and resolution alone each have a network within 7% of twice and of four times the cost, so that
rivals at equal counted cost exist. Padding is symmetric: SAME would copy every map in front of a strided convolution.

`shallownet_24` has two stages and no squeeze-excite, which keeps deeper networks from learning the embedded flowers in
minutes (docs/LOG.md): on it, depth, width and resolution each show what they are worth.

The `finenet` ones round finely, so that a study has a whole triangle to look at: stages of 3, 4 and 5 blocks and even
channels give 130 to 320 networks within 0.06 of twice the cost, of 14 to 19 depths, and one within 0.1 of every share
that the lattice of a study asks for (scan in docs/LOG.md). `finenet_22` is for originals of 32 px: twice its cost by
resolution alone is 32 px. `finenet_20` is for a study of minutes (`make demo`): with
stages of 2, 3 and 4 blocks 80 networks of 10 depths lie within 0.06 of twice its cost.
"""

from collections.abc import Iterator

from triscale.spec import Head, Network, Norm, SqueezeExcite, Stage, Stem

_SE = SqueezeExcite(ratio=0.25, of="input")

_ROWS = {
    24: (Stem(channels=16, stride=1), (12, 20, 32), 96),
    32: (Stem(channels=16, stride=1), (12, 28, 48), 144),
    48: (Stem(channels=20, stride=2), (20, 36, 64), 192),
    64: (Stem(channels=16, stride=2), (28, 52, 88), 256),
}
"""Native side in pixels -> stem, channels of the stages, channels of the head."""

_FINE = {
    22: (Stem(channels=16, stride=1), (8, 16, 20), (2, 2, 1), 96),
    24: (Stem(channels=16, stride=1), (12, 14, 20), (2, 2, 2), 96),
    32: (Stem(channels=12, stride=1), (8, 14, 28), (2, 2, 2), 96),
    48: (Stem(channels=16, stride=2), (12, 14, 20), (2, 2, 2), 96),
}
"""Native side in pixels -> stem, channels and strides of the stages, channels of the head."""

_LEAST = (Stem(channels=16, stride=2), (6, 12, 14), (1, 2, 2), 64)


def networks() -> Iterator[Network]:
    """The two of minutes, then one a native side, smallest first; then those that round finely."""
    yield _fine(20, *_LEAST, repeats=(2, 3, 4))
    yield _baseline("shallownet_24", 24, Stem(channels=16, stride=1), (16, 28), 96, None)
    for side, (stem, widths, head) in _ROWS.items():
        yield _baseline(f"smallnet_{side}", side, stem, widths, head, _SE)
    for side, fine in _FINE.items():
        yield _fine(side, *fine)


def _baseline(
    name: str, side: int, stem: Stem, widths: tuple[int, ...], head: int, squeeze_excite: SqueezeExcite | None
) -> Network:
    return Network(
        name=name,
        resolution=(side, side),
        stem=stem,
        stages=tuple(
            Stage(operator="mbconv", expand=4, stride=2, channels=width, repeats=2, squeeze_excite=squeeze_excite)
            for width in widths
        ),
        head=Head(channels=head, dropout=0.1),
        norm=Norm(eps=1e-3, momentum=0.1),
        padding="symmetric",
        channel_divisor=4,
        classes=10,
    )


def _fine(
    side: int,
    stem: Stem,
    widths: tuple[int, ...],
    strides: tuple[int, ...],
    head: int,
    repeats: tuple[int, ...] = (3, 4, 5),
) -> Network:
    return Network(
        name=f"finenet_{side}",
        resolution=(side, side),
        stem=stem,
        stages=tuple(
            Stage(operator="mbconv", expand=4, stride=stride, channels=width, repeats=number)
            for width, stride, number in zip(widths, strides, repeats, strict=True)
        ),
        head=Head(channels=head, dropout=0.1),
        norm=Norm(eps=1e-3, momentum=0.1),
        padding="symmetric",
        channel_divisor=2,
        classes=10,
    )
