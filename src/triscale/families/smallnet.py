"""Baselines of our own for small pictures (24 to 64 px), about 1 to 10 M MACs.

They are made to be scaled: channels are multiples of 4 and every stage has at least two blocks, so that small steps of
width and depth exist, and they are shallow, so that depth has something to give. The widths are those of a small scan
for which depth, width and resolution alone each have a network within 7% of twice and of four times the cost, so that
rivals at equal counted cost exist. Padding is symmetric: SAME would copy every map in front of a strided convolution.

`shallownet_24` has two stages and no squeeze-excite, which keeps deeper networks from learning the embedded flowers in
minutes (docs/LOG.md): on it, depth, width and resolution each show what they are worth.
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


def networks() -> Iterator[Network]:
    """The shallow baseline, then one a native side, smallest first."""
    yield _baseline("shallownet_24", 24, Stem(channels=16, stride=1), (16, 28), 96, None)
    for side, (stem, widths, head) in _ROWS.items():
        yield _baseline(f"smallnet_{side}", side, stem, widths, head, _SE)


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
