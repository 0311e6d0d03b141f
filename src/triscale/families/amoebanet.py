"""AmoebaNet-B (arXiv 1802.01548) at GPipe's size: 18 normal cells, 512 filters, 480 px (arXiv 1811.06965, section 4).

Cells, stem and norm are those of the authors' code (`tensorflow/tpu`, `models/official/amoeba_net`), which differs from
the paper in one operation: what the reduction cell calls a dilated separable 5x5 convolution is not dilated there.

Counted: 557,277,864 params, the paper's 557 M, and 298.8 G MACs, of which the paper says nothing. The authors' 1,001
classes make it 557,286,057. Their auxiliary head is not part of this network, because it serves in training alone; it
would make it 559.1 M, so that the paper's figure is without it too.

A previous input is made to fit by the stride of the cell before, where the authors compare sizes: at 1x1 pixels theirs
would be another network, and params must not depend on the resolution.

Stochastic depth drops the output of every operation but the identity, as the authors do. Their rate is 0.3 in every
cell and grows over training from 0; here it is constant over training and grows from the first cell to the last.
"""

from collections.abc import Iterator

from triscale.spec import Cell, Head, Network, Norm, Stage, Stem

NORMAL = Cell(
    operations=(
        "conv_1x1", "max_pool_3x3", "identity", "separable_3x3", "conv_1x1", "separable_3x3",
        "conv_1x1", "identity", "avg_pool_3x3", "conv_1x1",
    ),
    inputs=(1, 1, 1, 0, 1, 0, 2, 2, 1, 5),
    outputs=(0, 3, 4, 6),
)  # fmt: skip

REDUCTION = Cell(
    operations=(
        "max_pool_2x2", "max_pool_3x3", "identity", "conv_3x3", "separable_5x5", "max_pool_3x3",
        "identity", "separable_3x3", "avg_pool_3x3", "conv_1x1",
    ),
    inputs=(0, 0, 2, 1, 2, 2, 3, 1, 4, 3),
    outputs=(5, 6),
)  # fmt: skip


def amoebanet(name: str, *, cells: int, filters: int, side: int, classes: int = 1000) -> Network:
    """AmoebaNet-B of any size.

    Args:
        name: of the network.
        cells: normal cells in each of the three groups; the paper's N.
        filters: channels of a state in the first group, a multiple of 16, for the first reduction cell has a quarter.
        side: of the input in pixels.
        classes: to tell apart.
    """
    return Network(
        name=name,
        resolution=(side, side),
        stem=Stem(channels=32, padding="valid", after="norm"),
        stages=(
            _reduction(filters // 4),
            _reduction(filters // 2),
            _normal(filters, cells),
            _reduction(2 * filters),
            _normal(2 * filters, cells),
            _reduction(4 * filters),
            _normal(4 * filters, cells),
        ),
        head=Head(channels=None, dropout=0.5, before="activation"),
        activation="relu",
        norm=Norm(eps=1e-3, momentum=0.0003),
        stochastic_depth=0.3,
        classes=classes,
        channel_divisor=4,
    )


def networks() -> Iterator[Network]:
    """AmoebaNet-B (18, 512), the largest network that the EfficientNet paper compares with."""
    yield amoebanet("amoebanet_b", cells=6, filters=512, side=480)


def _normal(filters: int, repeats: int) -> Stage:
    return Stage(operator="cell", cell=NORMAL, channels=filters, repeats=repeats)


def _reduction(filters: int) -> Stage:
    return Stage(operator="cell", cell=REDUCTION, channels=filters, repeats=1, stride=2, scales_depth=False)
