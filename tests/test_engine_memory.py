"""What is counted of an engine's memory, beside what processes really took."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.engine_memory import latest, shares, table
from tests.cli.conftest import Run, run
from tests.paths import ROOT
from triscale.costs import Target, arena, parse_target
from triscale.engine_memory import LAWS, engine_memory, parts_of
from triscale.engines import engine_named
from triscale.errors import InputError, UsageError
from triscale.families import network
from triscale.latency.latency_metric import require_target
from triscale.latency.measuring import Subject, opening_of
from triscale.machine import separate_cores
from triscale.scaling import fit_budget

__all__ = ["run"]

SHARE = 0.2
"""By how much a network's count may differ from the growth of its process; docs/memory.md states it."""

MOST_NETWORKS = 5


def rows() -> list[dict[str, object]]:
    """Of the last record of `benchmarks.engine_memory`: networks that were not fitted."""
    lines = (ROOT / "benchmarks" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    found = [one for one in map(json.loads, lines) if one["name"] == "engine_memory"]
    return [row for row in found[-1]["rows"] if not row["fitted"]]


def off(row: dict[str, object]) -> float:
    """Counted less measured, as a share of what was measured."""
    side = int(str(row["resolution"]))
    made = replace(network(str(row["network"])), resolution=(side, side))
    return engine_memory(made, parse_target(str(row["target"]))) / float(str(row["growth"])) - 1


@pytest.mark.parametrize(("engine", "precision"), LAWS)
def test_networks_that_were_not_fitted_take_what_is_counted(engine: str, precision: str) -> None:
    """Five and more of them on each engine, by the committed record of processes."""
    own = [row for row in rows() if str(row["target"]).startswith(f"{engine}:{precision}:")]
    errors = {(row["network"], row["resolution"], row["target"]): off(row) for row in own}
    assert len({name for name, *_ in errors}) >= MOST_NETWORKS
    assert max(map(abs, errors.values())) <= SHARE, errors


def test_the_page_has_the_errors_of_the_record_and_the_laws_of_the_source() -> None:
    page = (ROOT / "docs" / "memory.md").read_text(encoding="utf-8").splitlines()
    assert not set(table(latest())) - set(page)
    assert not set(shares()) - set(page)


@pytest.mark.parametrize("text", ["onnxruntime:float32:t1", "onnxruntime:int8:t1"])
def test_a_process_that_is_measured_now_takes_what_is_counted(text: str, tmp_path: Path) -> None:
    """A network that was neither fitted nor recorded."""
    subject = Subject(network=replace(network("mobilenet_v3_large"), resolution=(96, 96)), target=parse_target(text))
    file = engine_named(subject.target.runtime).written(subject.network, subject.target, tmp_path)
    found = opening_of(replace(subject, file=file), separate_cores(1), {})
    assert found.growth is not None
    assert found.counted_growth is not None
    assert abs(found.counted_growth / found.growth - 1) <= SHARE


def test_the_maps_of_onnxruntime_are_those_of_a_plan_with_silu_apart() -> None:
    """In the second block of B0 a convolution to 96 maps of 112x112 and its SiLU live at once, in int8 three maps."""
    maps, element = 96 * 112 * 112, 4
    b0, resnet = network("efficientnet_b0"), network("resnet18")
    assert parts_of(b0, parse_target("onnxruntime:float32:t1")).maps == 2 * maps * element
    assert parts_of(b0, parse_target("onnxruntime:int8:t1:b3")).maps == 3 * 3 * maps
    assert parts_of(resnet, parse_target("onnxruntime:float32:t1")).maps == arena(resnet)
    assert parts_of(b0, parse_target("openvino:float32:t1")).maps == arena(b0)


@pytest.mark.parametrize(("engine", "precision"), LAWS)
def test_more_images_and_more_pixels_take_more(engine: str, precision: str) -> None:
    one = network("efficientnet_b0")
    large = replace(one, resolution=(448, 448))
    first, images, pixels = (
        engine_memory(made, parse_target(f"{engine}:{precision}:t1:b{batch}"))
        for made, batch in ((one, 1), (one, 8), (large, 1))
    )
    assert first < images
    assert first < pixels


def test_it_is_a_limit_with_the_engine_as_the_target() -> None:
    target = Target(engine=parse_target("onnxruntime:int8:t1"))
    found = fit_budget(network("efficientnet_b0"), {"engine_memory": 60e6}, target=target)
    assert found.fit.cost is not None
    assert 55e6 < engine_memory(found.network, parse_target("onnxruntime:int8:t1")) <= 60e6


def test_an_engine_of_which_nothing_is_known_is_named_with_those_that_are() -> None:
    with pytest.raises(InputError, match=r"memory of torch_compile:float32 is not known; it is of torch:float32"):
        engine_memory(network("smallnet_24"), Target(runtime="torch_compile"))
    with pytest.raises(UsageError) as error:
        require_target(["engine_memory"], None)
    assert "calibrate" not in str(error.value), "only latency needs a calibration"


def test_cost_prints_it_for_an_engine_that_nobody_calibrated(run: Run) -> None:
    found = run(
        "cost", "efficientnet_b0", "--metric", "engine_memory", "--target", "onnxruntime:int8:t1", "--json"
    ).json
    wanted = engine_memory(network("efficientnet_b0"), parse_target("onnxruntime:int8:t1"))
    assert found["metrics"]["engine_memory"] == wanted
    assert "latency" not in found
