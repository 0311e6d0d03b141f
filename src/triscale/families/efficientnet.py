"""EfficientNet B0-B8, L2 and Lite0-4 from one B0 table (paper Table 1; coefficients of the authors' code), and EdgeTPU.

The published members do not follow the published formula: each has its own coefficients, kept here as they stand in
`efficientnet_builder.py`, `efficientnet_lite_builder.py` and `efficientnet_edgetpu_builder.py`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from triscale.spec import Head, Network, Norm, SqueezeExcite, Stage, Stem, fix_stem_and_head, scale

_SE = SqueezeExcite(ratio=0.25, of="input")

B0 = Network(
    name="efficientnet_b0",
    resolution=(224, 224),
    stem=Stem(channels=32),
    stages=(
        Stage(operator="mbconv", expand=1, kernel=3, stride=1, channels=16, repeats=1, squeeze_excite=_SE),
        Stage(operator="mbconv", expand=6, kernel=3, stride=2, channels=24, repeats=2, squeeze_excite=_SE),
        Stage(operator="mbconv", expand=6, kernel=5, stride=2, channels=40, repeats=2, squeeze_excite=_SE),
        Stage(operator="mbconv", expand=6, kernel=3, stride=2, channels=80, repeats=3, squeeze_excite=_SE),
        Stage(operator="mbconv", expand=6, kernel=5, stride=1, channels=112, repeats=3, squeeze_excite=_SE),
        Stage(operator="mbconv", expand=6, kernel=5, stride=2, channels=192, repeats=4, squeeze_excite=_SE),
        Stage(operator="mbconv", expand=6, kernel=3, stride=1, channels=320, repeats=1, squeeze_excite=_SE),
    ),
    head=Head(channels=1280, dropout=0.2),
    norm=Norm(eps=1e-3, momentum=0.01),
    stochastic_depth=0.2,
)


class MemberFactors(NamedTuple):
    """What the authors' code gives a member: factors, input side in pixels, dropout."""

    width: float
    depth: float
    side: int
    dropout: float


MEMBERS = {
    "b0": MemberFactors(1.0, 1.0, 224, 0.2),
    "b1": MemberFactors(1.0, 1.1, 240, 0.2),
    "b2": MemberFactors(1.1, 1.2, 260, 0.3),
    "b3": MemberFactors(1.2, 1.4, 300, 0.3),
    "b4": MemberFactors(1.4, 1.8, 380, 0.4),
    "b5": MemberFactors(1.6, 2.2, 456, 0.4),
    "b6": MemberFactors(1.8, 2.6, 528, 0.5),
    "b7": MemberFactors(2.0, 3.1, 600, 0.5),
    "b8": MemberFactors(2.2, 3.6, 672, 0.5),
    "l2": MemberFactors(4.3, 5.3, 800, 0.5),
}

LITE_MEMBERS = {
    "lite0": MemberFactors(1.0, 1.0, 224, 0.2),
    "lite1": MemberFactors(1.0, 1.1, 240, 0.2),
    "lite2": MemberFactors(1.1, 1.2, 260, 0.3),
    "lite3": MemberFactors(1.2, 1.4, 280, 0.3),
    "lite4": MemberFactors(1.4, 1.8, 300, 0.3),
}


EDGE_MEMBERS = {
    "es": MemberFactors(1.0, 1.0, 224, 0.2),
    "em": MemberFactors(1.0, 1.1, 240, 0.2),
    "el": MemberFactors(1.2, 1.4, 300, 0.3),
}


def _edge_small() -> Network:
    """Fused blocks first, ReLU, no squeeze-excite.

    The authors' first row says 24 inputs where the stem gives 32; its expand ratio is therefore one of the output, 24.
    """
    return replace(
        B0,
        stages=(
            Stage(operator="fused_mbconv", expand=4, expand_of="output", channels=24, repeats=1, skip=False),
            Stage(operator="fused_mbconv", expand=8, stride=2, channels=32, repeats=2),
            Stage(operator="fused_mbconv", expand=8, stride=2, channels=48, repeats=4),
            Stage(operator="mbconv", expand=8, kernel=5, stride=2, channels=96, repeats=5),
            Stage(operator="mbconv", expand=8, kernel=5, stride=1, channels=144, repeats=4),
            Stage(operator="mbconv", expand=8, kernel=5, stride=2, channels=192, repeats=2),
        ),
        activation="relu",
    )


def _lite0() -> Network:
    """B0 without squeeze-excite, with ReLU6, and with a stem, head, first and last stage that do not scale."""
    plain = tuple(replace(stage, squeeze_excite=None) for stage in B0.stages)
    return fix_stem_and_head(replace(B0, stages=plain, activation="relu6"))


def _member(base: Network, name: str, given: MemberFactors) -> Network:
    scaled = scale(base, depth=given.depth, width=given.width)
    head = replace(scaled.head, dropout=given.dropout)
    return replace(scaled, name=f"efficientnet_{name}", resolution=(given.side, given.side), head=head)


def networks() -> Iterator[Network]:
    """Every member, smallest first within B0-L2, Lite0-4 and EdgeTPU S-L."""
    lite0, edge_small = _lite0(), _edge_small()
    yield from (_member(B0, name, given) for name, given in MEMBERS.items())
    yield from (_member(lite0, name, given) for name, given in LITE_MEMBERS.items())
    yield from (_member(edge_small, name, given) for name, given in EDGE_MEMBERS.items())
