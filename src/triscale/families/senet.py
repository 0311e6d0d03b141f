"""SENet-154 (arXiv 1709.01507, section 6.1 and appendix): ResNeXt-152 with squeeze-excite and a deep stem."""

from collections.abc import Iterator

from triscale.spec import Head, Network, Norm, SqueezeExcite, Stage, Stem

_ROWS = ((256, 3, 1, 1), (512, 8, 2, 3), (1024, 36, 2, 3), (2048, 3, 2, 3))
"""Channels, blocks, stride, kernel of the projecting shortcut."""


def networks() -> Iterator[Network]:
    """SENet-154 at 224 px; the paper's 146 M params and 42 G MACs are of another, larger configuration."""
    yield Network(
        name="senet154",
        resolution=(224, 224),
        stem=Stem(deep=(64, 64), channels=128, pool=True),
        stages=tuple(
            Stage(
                operator="bottleneck", channels=c, repeats=n, stride=s, groups=64, expand=1, reduce=0.5,
                shortcut_kernel=k, squeeze_excite=SqueezeExcite(ratio=1 / 16, of="output"),
            )
            for c, n, s, k in _ROWS
        ),
        head=Head(channels=None, dropout=0.2),
        activation="relu",
        norm=Norm(eps=1e-5, momentum=0.1),
        padding="symmetric",
    )  # fmt: skip
