"""Counts of stages, of scaled networks and of what is unusual; those of the families stand in tests/families."""

from dataclasses import replace

import pytest

from triscale.cost import Counts, by_stage, cost, count, separable_versus_standard
from triscale.errors import InputError, UsageError
from triscale.families import network, registry
from triscale.spec import Head, Network, SqueezeExcite, Stage, Stem, resolve, scale


def test_the_single_dimension_rows_of_table_7_cost_less_than_the_paper_says() -> None:
    b0 = network("efficientnet_b0")
    scaled = (scale(b0, depth=4), scale(b0, width=2), scale(b0, resolution=2))

    assert [round(count(one).macs / 1e9, 3) for one in scaled] == [1.575, 1.450, 1.538]


def test_depth_just_above_one_gives_every_stage_a_block() -> None:
    b0 = network("efficientnet_b0")

    assert count(scale(b0, depth=1.0001)).macs / count(b0).macs == pytest.approx(1.48, abs=0.005)


def test_stages_add_up_to_the_network() -> None:
    for name in registry():
        rows = by_stage(network(name))

        assert count(network(name)) == Counts(
            sum(row.params for row in rows), sum(row.macs for row in rows), sum(row.activations for row in rows)
        ), name
        assert sum(row.params_share for row in rows) == pytest.approx(1), name
        assert sum(row.macs_share for row in rows) == pytest.approx(1), name
        assert sum(row.activations_share for row in rows) == pytest.approx(1), name
        assert ["stem", *(f"stage{i + 1}" for i in range(len(rows) - 2)), "head"] == [row.stage for row in rows], name


def test_stages_of_b0_carry_the_papers_words() -> None:
    rows = by_stage(network("efficientnet_b0"))

    assert rows[5][:3] == ("stage5", "MBConv6, k5x5, se0.25", 3)
    assert rows[0].macs == 112 * 112 * 27 * 32


def test_a_separable_convolution_is_7_9_times_cheaper_than_a_standard_one() -> None:
    found = separable_versus_standard((32, 32), 3, 64, 3)

    assert (found.standard.macs, found.separable.macs) == (1_769_472, 224_256)
    assert found.macs_ratio == pytest.approx(7.89, abs=0.005)
    assert (found.standard.params, found.separable.params) == (27 * 64, 27 + 192)
    assert separable_versus_standard((32, 32), 3, 64, 3, stride=2).separable.macs == 16 * 16 * (27 + 192)


def test_cost_has_the_keys_that_scripts_rely_on() -> None:
    found = cost(network("mobilenet_v1"), batch=3, resolution=(64, 96)).as_dict()

    assert list(found) == [
        "network", "resolution", "params", "macs", "activations", "inference_memory", "training_memory", "batch",
        "inference_kernels", "training_kernels", "kernels", "threads", "file_size", "weights_precision", "metrics",
    ]  # fmt: skip
    assert [found[k] for k in ("network", "resolution", "params", "batch")] == ["mobilenet_v1", [64, 96], 4_231_976, 3]
    assert count(replace(network("mobilenet_v1"), resolution=(64, 96))).macs == found["macs"]


def test_a_batch_or_a_side_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(UsageError, match="batch is 0"):
        cost(network("resnet18"), batch=0)
    with pytest.raises(InputError, match="resolution"):
        cost(network("resnet18"), resolution=(0, 5))


def test_layers_are_counted_to_the_unit_before_a_deep_network_is_refused() -> None:
    stage = Stage(operator="mbconv", repeats=1999, channels=8, expand=4, squeeze_excite=SqueezeExcite())
    deep = Network(name="deep", resolution=(8, 8), stem=Stem(channels=8), stages=(stage,), head=Head(channels=None))

    assert resolve(deep)
    with pytest.raises(InputError, match="10,002 layers"):
        resolve(replace(deep, stages=(replace(stage, repeats=2000),)))
