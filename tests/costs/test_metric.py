"""Metrics and targets: one registry, checked values, and the bytes of stored weights."""

from dataclasses import replace
from typing import get_args

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

import triscale
from triscale.costs import (
    ANYWHERE,
    Metric,
    Target,
    TargetPrecision,
    Values,
    arena,
    cost,
    count,
    file_size,
    inference_memory,
    metric_named,
    needed,
    parse_target,
    read_limit,
    register,
    registered,
    registry,
    training_memory,
    training_target,
)
from triscale.errors import NumericError, UsageError
from triscale.families import network
from triscale.nn import build
from triscale.quantities import BYTES, COUNT, SECONDS
from triscale.spec import Network, scale

NET = network("smallnet_24")
KINDS = (  # a network of each way to lay out weights, small enough to be built
    "smallnet_24", "mobilenet_v2", "mobilenet_v3_small", "resnet18", "senet154", "amoebanet_b", "efficientnetv2_b0",
)  # fmt: skip


def shrunk(name: str) -> Network:
    return scale(network(name), width=0.25, depth=0.3)


def file_bytes(state: dict[str, torch.Tensor]) -> int:
    """Bytes of a safetensors file without its header: 8 bytes say how long that is."""
    payload = safetensors.torch.save(state)
    return len(payload) - 8 - int.from_bytes(payload[:8], "little")


def stored(tensor: torch.Tensor, precision: TargetPrecision) -> torch.Tensor:
    """As a file in that precision holds it."""
    if not tensor.is_floating_point() or precision == "float32":
        return tensor
    if precision == "int8":
        return tensor.to(torch.int8) if tensor.ndim > 1 else tensor
    return tensor.to(getattr(torch, precision))


@pytest.mark.parametrize("name", KINDS)
def test_file_size_matches_the_safetensors_file_of_the_built_network_in_every_precision(name: str) -> None:
    net = shrunk(name)
    state = build(net).state_dict()
    for precision in ("float32", "float16", "bfloat16", "int8"):
        held = {key: stored(tensor, precision) for key, tensor in state.items()}
        assert file_size(net, precision) == file_bytes(held), precision


def test_the_builtin_metrics_are_the_functions_that_count() -> None:
    target = Target(batch=8, optimizer="adamw", precision="bfloat16", recompute=True, ema=True, weights="float16")
    assert Values(target).of(NET, registry()) == {
        **count(NET)._asdict(),
        "inference_memory": inference_memory(NET, 8),
        "training_memory": training_memory(NET, 8, "adamw", precision="bfloat16", recompute=True, ema=True),
        "file_size": file_size(NET, "float16"),
        "arena": arena(NET, 8, "float16"),
    }


def test_cost_holds_every_counted_metric_of_the_registry() -> None:
    whole = Metric(name="layers", unit=COUNT, evaluate=_layers, deterministic=True, monotone=True)
    with registered(whole):
        found = cost(NET, metrics=["params"])
        assert {name: found.of(name) for name in registry()} == Values(ANYWHERE).of(NET, registry())
    assert found.metrics == {"arena": arena(NET), "layers": _layers(NET, ANYWHERE), "params": count(NET).params}
    assert cost(NET).metrics == {"arena": arena(NET)}


def _layers(net: Network, _: Target) -> int:
    return sum(stage.repeats for stage in net.stages)


def test_a_training_stores_its_weights_in_float32_whatever_it_computes_in() -> None:
    assert training_target(precision="bfloat16").stored == "float32"
    assert Target(precision="bfloat16").stored == "bfloat16"
    assert triscale.cost("smallnet_24", precision="bfloat16").file_size == file_size(NET)
    assert triscale.cost("smallnet_24", weights_precision="int8").file_size == file_size(NET, "int8")


def test_a_name_is_registered_once_and_within_its_block() -> None:
    board = Metric(name="board", unit=SECONDS, evaluate=lambda *_: 1.0, deterministic=False)
    with registered(board):
        assert metric_named("board") is board
        assert list(registry())[-1] == "board"
        with pytest.raises(UsageError, match=r"^the metric board is registered already"):
            register(board)
    with pytest.raises(UsageError, match=r"^unknown metric 'board'; the metrics are macs, params, "):
        metric_named("board")
    with pytest.raises(UsageError, match="is not a name of a metric"):
        replace(board, name="Latency ms")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_a_value_that_is_no_cost_is_an_error_that_names_metric_and_network(value: float) -> None:
    wrong = Metric(name="latency", unit=SECONDS, evaluate=lambda *_: value, deterministic=False)
    with pytest.raises(NumericError, match=rf"^the metric latency of smallnet_24 is {value};"):
        wrong.of(NET, ANYWHERE)


def test_what_is_not_counted_is_evaluated_once_for_networks_of_equal_content() -> None:
    calls: list[str] = []

    def evaluate(net: Network, _: Target) -> float:
        calls.append(net.name)
        return float(len(calls))

    with registered(Metric(name="latency", unit=SECONDS, evaluate=evaluate, deterministic=False)):
        values = Values(ANYWHERE)
        first = values.of(NET, ["latency"])
        assert values.of(replace(NET, name="the same under another name"), ["latency"]) == first == {"latency": 1.0}
        assert values.of(scale(NET, width=2), ["latency"]) == {"latency": 2.0}
    assert len(calls) == 2


def test_a_limit_is_read_in_the_unit_of_its_metric() -> None:
    assert read_limit("macs", "1.0G") == 1e9
    assert read_limit("file_size", "10MB") == 1e7
    assert read_limit("training_memory", 5) == 5
    with pytest.raises(UsageError, match=r"^'8GiB' is not the limit macs: write a number above 0 such as 1\.0G"):
        read_limit("macs", "8GiB")


def test_fit_budget_names_the_limits_that_exist_before_it_reads_a_number() -> None:
    with pytest.raises(
        UsageError, match=r"^unknown limit 'speed'; the limits are macs, .*, arena, engine_memory, latency\.$"
    ):
        triscale.fit_budget("efficientnet_b0", speed="10ms")


def test_a_metric_of_ones_own_takes_the_place_of_an_offered_one() -> None:
    own = Metric(name="latency", unit=SECONDS, evaluate=lambda *_: 1.0, deterministic=False)
    assert metric_named("latency") is not own
    with registered(own):
        assert metric_named("latency") is own
    assert "latency" not in registry()


def test_metrics_say_what_they_need() -> None:
    assert needed(registry(), "batch") == ["training_memory"]
    assert needed(registry(), "kernels") == ["inference_memory", "training_memory"]
    assert [one.unit for one in registry().values()] == [COUNT, COUNT, COUNT, BYTES, BYTES, BYTES, BYTES]


@pytest.mark.parametrize(
    ("field", "value"),
    [("batch", 0), ("threads", 0), ("precision", "half"), ("weights", "int4"), ("optimizer", "lion")],
)
def test_a_target_that_cannot_be_is_refused(field: str, value: object) -> None:
    with pytest.raises(UsageError, match=str(value)):
        Target(**{field: value})  # type: ignore[arg-type]


@given(
    runtime=st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True),
    precision=st.sampled_from(get_args(TargetPrecision)),
    threads=st.integers(1, 999_999),
    batch=st.integers(1, 999_999),
)
def test_the_text_of_a_target_is_read_back(runtime: str, precision: TargetPrecision, threads: int, batch: int) -> None:
    target = Target(runtime=runtime, precision=precision, threads=threads, batch=batch)
    assert parse_target(str(target)) == target
    assert parse_target(f"{runtime}:{precision}:t{threads}") == replace(target, batch=1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("onnxruntime:fp32:t1", "unknown precision 'fp32'; .* did you mean 'float32'"),
        ("onnxruntime:bloat16:t1", "did you mean 'bfloat16'"),
        ("onnxruntime:float32:t0", "threads is 0"),
        ("onnxruntime:float32", "is not ENGINE:PRECISION:tTHREADS"),
        ("onnxruntime:float32:t1:b", "such as onnxruntime:float32:t1"),
        ("", "is not ENGINE"),
    ],
)
def test_text_that_is_no_target_is_rejected_with_the_form_or_the_nearest_word(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_target(text)


def test_training_in_a_precision_that_torch_does_not_train_in_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown precision 'int8'; allowed: float32, bfloat16"):
        training_target(precision="int8")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="unknown precision 'int8'"):
        metric_named("training_memory").of(NET, Target(precision="int8"))


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_a_budget_of_bytes_gives_the_largest_network_whose_file_fits(precision: TargetPrecision) -> None:
    found = triscale.fit_budget("efficientnet_b0", file_size="20MB", weights_precision=precision)
    assert file_size(found.network, precision) <= 20e6
    assert found.fit.notch.cost is not None
    assert found.fit.notch.cost["file_size"] > 20e6
    assert found.fit.binding == ("file_size",)
