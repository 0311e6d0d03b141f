"""Networks of every kind, small enough to be resolved in a test."""

from typing import get_args

from hypothesis import strategies as st

from triscale.spec import (
    Activation,
    Around,
    Cell,
    CellOperation,
    Gate,
    Head,
    Network,
    Norm,
    Operator,
    Padding,
    SqueezeExcite,
    Stage,
    Stem,
)
from triscale.spec.cell import CELL_DIVISOR

ACTIVATIONS: tuple[Activation, ...] = get_args(Activation)
GATES: tuple[Gate, ...] = get_args(Gate)
AROUNDS: tuple[Around, ...] = get_args(Around)
OPERATORS: tuple[Operator, ...] = get_args(Operator)
OPERATIONS: tuple[CellOperation, ...] = get_args(CellOperation)
PADDINGS: tuple[Padding, ...] = ("same", "symmetric")
STEM_PADDINGS: tuple[Padding, ...] = get_args(Padding)
LARGE_ENOUGH = 49
"""Pixels of a side that the largest stem here can take without padding: three 7x7 convolutions, stride 3, a pooling."""
EXPANDS: dict[str, list[float]] = {
    "mbconv": [1, 1.5, 4, 6, 6.0],
    "fused_mbconv": [1, 1.5, 4],
    "bottleneck": [0.25, 0.5, 1.0],
    "preactivation": [0.25, 0.5, 1.0],
}

kernels = st.sampled_from([1, 3, 5, 7])
rates = st.sampled_from([0, 0.1, 0.2, 0.5])
squeezes = st.builds(
    SqueezeExcite,
    ratio=st.sampled_from([0.0625, 0.25, 1, 1.0]),
    of=st.sampled_from(["input", "inner", "output"]),
    gate=st.sampled_from(GATES),
    divisor=st.sampled_from([1, 8]),
    activation=st.none() | st.sampled_from(ACTIVATIONS),
)


@st.composite
def cells(draw: st.DrawFn) -> Cell:
    """Any legal cell of 1 to 4 pairs."""
    pairs = draw(st.integers(1, 4))
    return Cell(
        operations=tuple(draw(st.sampled_from(OPERATIONS)) for _ in range(2 * pairs)),
        inputs=tuple(draw(st.integers(0, 1 + index // 2)) for index in range(2 * pairs)),
        outputs=tuple(draw(st.lists(st.integers(0, 1 + pairs), min_size=1, max_size=4, unique=True))),
    )


@st.composite
def stages(draw: st.DrawFn, divisor: int, operators: tuple[Operator, ...]) -> Stage:
    """Any legal stage; its channels are a multiple of `divisor`."""
    operator = draw(st.sampled_from(operators))
    expand = draw(st.sampled_from(EXPANDS.get(operator, [1, 1.0])))
    squeezed = operator in ("mbconv", "fused_mbconv", "basic", "bottleneck")
    bottleneck, cell = operator == "bottleneck", operator == "cell"
    return Stage(
        operator=operator,
        repeats=draw(st.integers(1, 4)),
        channels=divisor * draw(st.integers(1, 12)),
        kernel=3 if cell else draw(kernels),
        stride=draw(st.integers(1, 2 if cell else 3)),
        expand=expand,
        squeeze_excite=draw(st.none() | squeezes) if squeezed else None,
        activation=draw(st.none() | st.sampled_from(ACTIVATIONS)),
        skip=draw(st.booleans()),
        scales_depth=draw(st.booleans()),
        expand_of=draw(st.sampled_from([None, "input", "output"])) if "mbconv" in operator else None,
        groups=draw(st.sampled_from([1, 2, 3, divisor, 64])) if bottleneck else 1,
        reduce=draw(st.sampled_from([0.25, 0.5, 1, 1.7])) if bottleneck else 1,
        shortcut_kernel=draw(st.sampled_from([1, 3])) if operator in ("basic", "bottleneck") else 1,
        cell=draw(cells()) if cell else None,
    )


@st.composite
def networks(draw: st.DrawFn, operators: tuple[Operator, ...] = OPERATORS, *, fits: bool = True) -> Network:
    """Any legal network of 1 to 4 stages whose widths are multiples of its divisor, on 1 to 90 px.

    `fits`: its images are large enough for a stem without padding.
    """
    divisor = draw(st.sampled_from([4, 8] if set(operators) == {"cell"} else [1, 4, 5, 8]))
    if divisor % CELL_DIVISOR:
        operators = tuple(operator for operator in operators if operator != "cell")
    width = st.integers(1, 12).map(lambda n: n * divisor)
    head, pool = draw(st.none() | width), draw(st.booleans())
    padding = draw(st.sampled_from([None, *STEM_PADDINGS]))
    pool_padding = draw(st.sampled_from([None, *STEM_PADDINGS])) if pool else None
    valid = "valid" in (padding, pool_padding)
    side = st.integers(LARGE_ENOUGH, 90) if valid and fits else st.integers(1, 40)
    return Network(
        name=draw(st.sampled_from(["a", "b c", "net_1"])),
        resolution=(draw(side), draw(side)),
        stem=Stem(
            channels=draw(width),
            kernel=draw(kernels),
            stride=draw(st.integers(1, 3)),
            pool=pool,
            pool_padding=pool_padding,
            scales=draw(st.booleans()),
            padding=padding,
            deep=tuple(draw(st.lists(width, max_size=2))),
            after=draw(st.sampled_from(AROUNDS)),
        ),
        stages=tuple(draw(st.lists(stages(divisor, operators), min_size=1, max_size=4))),
        head=Head(
            channels=head,
            dropout=draw(rates),
            scales=draw(st.booleans()),
            hidden=draw(st.none() | width),
            before="nothing" if head else draw(st.sampled_from(AROUNDS)),
        ),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        norm=Norm(eps=draw(st.sampled_from([1e-3, 1e-5])), momentum=draw(st.sampled_from([0.01, 0.1, 1]))),
        padding=draw(st.sampled_from(PADDINGS)),
        stochastic_depth=draw(rates),
        channel_divisor=divisor,
        input_channels=draw(st.integers(1, 4)),
        classes=draw(st.integers(1, 20)),
        channel_floor=draw(st.sampled_from([0, 0.9])),
    )
