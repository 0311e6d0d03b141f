"""Networks that others have trained are networks of ours: params to the unit, and their MACs by a known rule."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from benchmarks.search.tables import Row, Table, accel, accel_choices, accel_space, macro, operations_as_thop
from tests.paths import real_data
from triscale.costs import count
from triscale.families import network as registered

B0 = "e1k3l1s1;e6k3l2s1;e6k5l2s1;e6k3l3s1;e6k5l3s1;e6k5l4s1;e6k3l1s1"


def macro_faults(table: Table, rows: Sequence[Row]) -> list[str]:
    """Rows whose params or MACs are not those that we count."""
    counted = ((row, count(table.space.network(row.chosen))) for row in rows)
    return [row.code for row, ours in counted if (ours.params, ours.macs) != (row.params, row.macs)]


def accel_faults(table: Table, rows: Sequence[Row]) -> list[str]:
    """Rows whose params are not those that we count, or whose MACs are not what thop's rule gives."""
    networks = ((row, table.space.network(row.chosen)) for row in rows)
    return [
        row.code for row, ours in networks if (count(ours).params, operations_as_thop(ours)) != (row.params, row.macs)
    ]


def test_macro_nasbench_counts_as_we_do() -> None:
    table = macro(real_data("nas"))
    assert len(table.rows) == table.space.size == 6_561
    assert macro_faults(table, table.rows[::60]) == []


def test_accel_nasbench_has_our_params_and_the_macs_of_thop() -> None:
    table = accel(real_data("nas"))
    assert len(table.rows) == 5_138
    assert accel_faults(table, table.rows[::60]) == []


@pytest.mark.slow
def test_all_rows_of_both_tables_are_networks_of_ours() -> None:
    """11,699 rows; NAS-Bench-Macro has 3,969 distinct networks, Accel-NASBench 5,125."""
    folder = real_data("nas")
    small, large = macro(folder), accel(folder)
    assert macro_faults(small, small.rows) == []
    assert accel_faults(large, large.rows) == []
    assert len({small.space.network(row.chosen).stages for row in small.rows}) == 3_969
    assert len({large.space.number(row.chosen) for row in large.rows}) == 5_125
    more = [row.macs / count(large.space.network(row.chosen)).macs for row in large.rows]
    assert (round(min(more), 2), round(max(more), 2)) == (1.04, 1.17), "docs/search-spaces.md says so"


def test_rows_are_read_back_from_their_networks() -> None:
    """To the same choices, or to others that give the same network: an identity may stand in several places."""
    folder = real_data("nas")
    for table in (macro(folder), accel(folder)):
        for row in table.rows[::300]:
            network = table.space.network(row.chosen)
            assert table.space.network(table.space.chosen(network)).stages == network.stages


def test_b0_is_in_the_space_of_accel_nasbench() -> None:
    space, b0 = accel_space(), registered("efficientnet_b0")
    found = space.network(accel_choices(B0))
    assert found.stages == b0.stages
    assert count(found) == count(b0)


def test_thops_rule_adds_norms_and_poolings_and_nothing_else() -> None:
    """By hand, for a stem and a head alone: 16 px, 8 channels, stride 1, one MBConv without expansion or squeeze."""
    space = accel_space()
    network = space.network(accel_choices("e1k3l1s0;" * 6 + "e1k3l1s0"))
    one = replace(network, resolution=(16, 16), stages=(replace(network.stages[0], channels=32),))
    stem, depthwise, project, head = 8 * 8 * 32, 8 * 8 * 32, 8 * 8 * 32, 8 * 8 * 1280
    assert operations_as_thop(one) - count(one).macs == 4 * (stem + depthwise + project + head) + 1280 * (64 + 1)
