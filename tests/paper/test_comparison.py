"""The paper's tables counted, and any networks side by side."""

import pytest

from triscale.paper import TABLES, Compared, compare, compare_table

B0_MACS = 385_814_752


def row(table: str, label: str) -> Compared:
    return next(one for one in compare_table(table) if one.label == label)


@pytest.mark.parametrize(
    ("rival", "params", "macs"),
    [
        ("ResNet-50", "4.9", "11"),
        ("DenseNet-169", "2.6", "9"),
        ("ResNet-152", "7.7", "16"),
        ("Inception-v4", "5.2", "13"),
        ("SENet", "7.7", "10"),
        ("AmoebaNet-C", "5.2", "4"),
    ],
)
def test_ratios_of_printed_figures_are_those_of_table_2(rival: str, params: str, macs: str) -> None:
    """As the paper prints them beside the rivals, MACs to the unit here (its inputs are rounded too)."""
    found = row("table2", rival)
    assert f"{found.published_params_ratio:.1f}" == params
    assert f"{found.published_macs_ratio:.0f}" == macs


def test_ratios_of_counts_are_used_where_both_networks_can_be_built() -> None:
    found = row("table2", "ResNet-50")
    assert found.params_ratio == 25_557_032 / 5_288_548
    assert found.macs_ratio == 4_089_184_256 / B0_MACS


def test_a_rival_that_cannot_be_built_is_compared_by_its_printed_figures() -> None:
    found = row("table2", "DenseNet-169")
    assert (found.network, found.params, found.macs, found.resolution) == (None, None, None, None)
    assert found.params_ratio == 14e6 / 5_288_548
    assert found.published_params_ratio == pytest.approx(14 / 5.3)


def test_the_rivals_of_a_member_have_similar_printed_accuracy() -> None:
    """Within 1.4 points, as in the paper's groups."""
    rows = compare_table("table2")
    members = {one.group: one for one in rows if one.label == one.group}
    assert list(members) == [f"EfficientNet-B{index}" for index in range(8)]
    for one in rows:
        assert one.published is not None
        reference = members[one.group].published
        assert reference is not None
        assert abs(float(one.published.top1 or 0) - float(reference.top1 or 0)) <= 1.4


@pytest.mark.parametrize("table", TABLES)
def test_each_group_of_a_table_stands_together_and_begins_with_its_reference(table: str) -> None:
    groups = [one.group for one in TABLES[table].rows]
    assert sorted(set(groups), key=groups.index) == [g for i, g in enumerate(groups) if i == 0 or groups[i - 1] != g]
    for one in compare_table(table):
        if one is next(other for other in compare_table(table) if other.group == one.group):
            assert (one.params_ratio, one.macs_ratio) == (1, 1)


# Multiply-adds in billions, as counted independently with the released code's rounding.
COUNTED = {
    ("table3", "MobileNetV1, width (w=2)"): "2.216",
    ("table3", "MobileNetV1, resolution (r=2)"): "2.272",
    ("table3", "MobileNetV1, compound (d=1.4, w=1.2, r=1.3)"): "2.47",
    ("table3", "MobileNetV2, depth (d=4)"): "1.220",
    ("table3", "MobileNetV2, width (w=2)"): "1.137",
    ("table3", "MobileNetV2, resolution (r=2)"): "1.199",
    ("table3", "MobileNetV2, compound"): "1.44",
    ("table3", "ResNet-50, depth (d=4)"): "14.57",
    ("table3", "ResNet-50, width (w=2)"): "16.12",
    ("table3", "ResNet-50, resolution (r=2)"): "16.35",
    ("table3", "ResNet-50, compound"): "15.9",
    ("table7", "EfficientNet-B0, baseline"): "0.386",
    ("table7", "EfficientNet-B0, depth (d=4)"): "1.575",
    ("table7", "EfficientNet-B0, width (w=2)"): "1.450",
    ("table7", "EfficientNet-B0, resolution (r=2)"): "1.538",
    ("table7", "EfficientNet-B0, compound (d=1.4, w=1.2, r=1.3)"): "1.800",
}


@pytest.mark.parametrize(("table", "label"), COUNTED)
def test_scaled_rows_match_independent_counts_to_their_last_digit(table: str, label: str) -> None:
    expected = COUNTED[table, label]
    assert f"{(row(table, label).macs or 0) / 1e9:.{len(expected.split('.')[1])}f}" == expected


def test_the_swapped_rows_of_table_3_are_marked_as_differing() -> None:
    deep, wide = row("table3", "ResNet-50, depth (d=4)"), row("table3", "ResNet-50, width (w=2)")
    assert deep.differs == wide.differs == ("macs",)


def test_senet_at_320_px_has_the_printed_macs_but_not_the_printed_params() -> None:
    found = row("table2", "SENet")
    assert (found.resolution, found.differs) == ((320, 320), ("params",))


def test_any_networks_are_compared_with_the_first() -> None:
    first, second = compare(["efficientnet_b0", "efficientnet_b0@depth=4"])
    assert (first.macs_ratio, first.params_ratio) == (1, 1)
    assert second.macs_ratio == (second.macs or 0) / B0_MACS
    assert first.published is not None
    assert second.published is None
    assert (second.inference_memory or 0) > 0
