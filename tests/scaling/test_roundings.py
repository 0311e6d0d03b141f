"""The list of roundings: what was wanted of each size, what it got, and nothing left out."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spec.strategies import networks
from triscale.families import network
from triscale.scaling import Factors, explain_rounding
from triscale.spec import Network, diff, scale

factor = st.floats(0.3, 3)


@settings(max_examples=30, deadline=None)
@given(networks(), factor, factor, factor)
def test_every_size_is_listed_with_what_was_wanted_and_got(
    net: Network, depth: float, width: float, side: float
) -> None:
    where = Factors(depth, width, side)
    scaled = scale(net, **where._asdict())
    rows = {row.field: row for row in explain_rounding(net, scaled, where)}
    heads = sum(wide is not None for wide in (net.head.channels, net.head.hidden))
    assert len(rows) == 3 + len(net.stem.deep) + 2 * len(net.stages) + heads
    for i, stage in enumerate(net.stages):
        deep, wide = rows[f"stages[{i}].repeats"], rows[f"stages[{i}].channels"]
        assert deep.wanted == stage.repeats * (where.depth if stage.scales_depth else 1)
        assert wide.wanted == stage.channels * where.width
        assert (deep.got, wide.got) == (scaled.stages[i].repeats, scaled.stages[i].channels)
    assert rows["stem.channels"].wanted == net.stem.channels * (where.width if net.stem.scales else 1)
    assert rows["resolution[1]"].wanted == net.resolution[1] * where.resolution
    changed = {line.split(":")[0].split("[")[0] for line in diff(net, scaled)} - {"name"}
    assert changed <= {field.split("[")[0] for field in rows}


def test_the_roundings_of_b0_at_phi_1_read_as_by_hand() -> None:
    b0, where = network("efficientnet_b0"), Factors(1.2, 1.1, 1.15)
    rows = {row.field: row for row in explain_rounding(b0, scale(b0, **where._asdict()), where)}
    assert (rows["stages[0].repeats"].base, rows["stages[0].repeats"].wanted, rows["stages[0].repeats"].got) == (
        1,
        1.2,
        2,
    )
    assert round(100 * rows["stages[0].repeats"].change) == 67
    assert (round(rows["head.channels"].wanted), rows["head.channels"].got) == (1408, 1408)
    assert (round(rows["stages[1].channels"].wanted, 1), rows["stages[1].channels"].got) == (26.4, 24)
    assert round(rows["stages[1].channels"].change, 3) == -0.091
