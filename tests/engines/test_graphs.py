"""Graphs written from a resolved network compute what the built module does."""

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from triscale import nn
from triscale.costs import Target
from triscale.engines import engine_named
from triscale.engines.graphs import (
    MOST_BYTES,
    GraphDraft,
    RandomWeights,
    draft_of,
    onnx_graph,
)
from triscale.errors import InputError, UsageError
from triscale.families.by_name import network, registry
from triscale.layer_weights import Floats, NormWeights, weight_shape
from triscale.spec import Layer, Network, Size, resolve, scale

KINDS: tuple[tuple[str, float, Size], ...] = (
    ("efficientnet_b0", 0.25, (65, 48)),
    ("efficientnet_lite0", 0.25, (63, 64)),
    ("efficientnet_es", 0.25, (49, 64)),
    ("efficientnetv2_b0", 0.25, (64, 65)),
    ("mobilenet_v1_025", 1.0, (63, 64)),
    ("mobilenet_v2_035", 0.5, (65, 65)),
    ("mobilenet_v3_small", 0.5, (64, 63)),
    ("mnasnet_a1", 0.5, (65, 64)),
    ("resnet18", 0.125, (65, 64)),
    ("resnet50", 0.125, (64, 65)),
    ("resnet164", 1.0, (33, 32)),
    ("senet154", 0.0625, (64, 65)),
    ("amoebanet_b", 0.03, (65, 64)),
    ("smallnet_24", 1.0, (24, 25)),
)
"""One of every kind of block, activation, padding and head, with odd sides."""


def small(name: str, width: float, size: Size) -> Network:
    net = scale(network(name), width=width) if width != 1 else network(name)
    stages = tuple(replace(stage, repeats=min(stage.repeats, 3)) for stage in net.stages)  # deeper ones amplify noise
    return replace(net, stages=stages, resolution=size, classes=10)


def trained(net: Network) -> torch.nn.Module:
    """A module whose norms are not the identity."""
    torch.manual_seed(0)
    model = nn.build(net).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor, low, most in (
                (module.weight.data, 0.5, 1.5), (module.bias.data, -0.3, 0.3),
                (module.running_mean, -0.3, 0.3), (module.running_var, 0.5, 1.5),
            ):  # fmt: skip
                assert tensor is not None
                tensor.uniform_(low, most)
    return model


def state_of(model: torch.nn.Module) -> dict[str, NDArray[Any]]:
    return {name: tensor.numpy() for name, tensor in model.state_dict().items()}


def logits(graph: bytes, images: NDArray[np.float32]) -> NDArray[np.float32]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    found: NDArray[np.float32] = session.run(["logits"], {"input": images})[0]
    return found


def images_for(net: Network, batch: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal((batch, net.input_channels, *net.resolution), dtype=np.float32)


@pytest.mark.parametrize(("name", "width", "size"), KINDS, ids=[kind[0] for kind in KINDS])
def test_a_graph_with_the_weights_of_a_module_computes_its_logits(name: str, width: float, size: Size) -> None:
    """The oracle is torch: within 1e-4 of the largest logit, by ONNX Runtime, at odd sides."""
    net = small(name, width, size)
    model, images = trained(net), images_for(net, 2)
    with torch.no_grad():
        expected = model(torch.from_numpy(images)).numpy()
    found = logits(onnx_graph(net, batch=2, state=state_of(model)), images)
    assert found.shape == expected.shape == (2, 10)
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize(("name", "width", "size"), KINDS, ids=[kind[0] for kind in KINDS])
def test_both_precisions_pass_the_checker_and_int8_follows_float32(name: str, width: float, size: Size) -> None:
    """The checker of ONNX infers every shape; int8 with random scales still answers much like float32."""
    net = small(name, width, size)
    graphs = [onnx_graph(net), *(onnx_graph(net, precision="int8", whole_silu=whole) for whole in (False, True))]
    for graph in graphs:
        onnx.checker.check_model(onnx.load_from_string(graph), full_check=True)
    real, *quantized = (logits(graph, images_for(net, 1)) for graph in graphs)
    assert np.isfinite(real).all()
    assert real.std() > 1e-3
    assert all(np.corrcoef(real.ravel(), one.ravel())[0, 1] > 0.7 for one in quantized)
    assert all(len(graph) < 0.5 * len(graphs[0]) + 200_000 for graph in graphs[1:])


def test_a_whole_silu_has_no_quantize_node_inside() -> None:
    net = network("smallnet_24")
    read = [
        {
            name
            for node in onnx.load_from_string(graph).graph.node
            if node.op_type == "QuantizeLinear"
            for name in node.input
        }
        for graph in (onnx_graph(net, precision="int8"), onnx_graph(net, precision="int8", whole_silu=True))
    ]
    parts, whole = ({name for name in names if name.endswith(("silu_sigmoid", "conv"))} for names in read)
    assert {"0.conv.conv", "0.conv.silu_sigmoid"} <= parts
    assert not {"0.conv.conv", "0.conv.silu_sigmoid"} & whole
    assert "0.conv.silu" in read[1]


@pytest.mark.parametrize("name", ["efficientnet_lite0", "mobilenet_v2_035", "resnet18"])
def test_onnxruntime_leaves_no_operation_of_an_int8_graph_in_float32(name: str, tmp_path: Path) -> None:
    """What its optimizer makes of the graph: activations left in float32 cost more than int8 saves."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    net = small(name, 0.25, (64, 64))
    ort.InferenceSession(onnx_graph(net, precision="int8"), options, providers=["CPUExecutionProvider"])
    found = Counter(node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node)
    convolutions = sum(layer.kind == "conv" for _, block in resolve(net).flat() for layer in block.layers)
    assert found["QLinearConv"] == convolutions
    assert not found.keys() & {"Conv", "FusedConv", "Clip", "Relu", "Add"}, found


class _NoMemory(RandomWeights):
    """Weights of the right shape that are one number in memory, for networks of 500 million."""

    def folded(self, conv: str, norm: str, layer: Layer) -> tuple[Floats, Floats | None]:  # noqa: ARG002
        one, shape = np.float32(1), weight_shape(layer)
        bias = np.broadcast_to(one, shape[:1]) if layer.bias or layer.norm else None
        return np.broadcast_to(one, shape), bias

    def norm(self, name: str, layer: Layer) -> NormWeights:  # noqa: ARG002
        return NormWeights(*[np.broadcast_to(np.float32(1), (layer.out_channels,))] * 4)


def expected_weights(net: Network) -> int:
    """Numbers in the weights and biases of the resolved layers; a norm is a bias, or four numbers where it is alone."""
    total = 0
    for _, block in resolve(net).flat():
        for layer in block.layers:
            if layer.kind == "norm":
                total += 4 * layer.out_channels
            else:
                total += math.prod(weight_shape(layer)) + layer.out_channels * (layer.bias or layer.norm)
    return total


def is_weight(name: str) -> bool:
    return name[0].isdigit()


@pytest.mark.parametrize("name", list(registry()))
def test_every_registered_network_is_written_with_the_params_of_its_spec(name: str) -> None:
    """As a draft, without the memory of its weights; every node reads what is there before it."""
    draft = draft_of(network(name), _NoMemory(0))
    assert sum(value.size for key, value in draft.constants.items() if is_weight(key)) == expected_weights(
        network(name)
    )
    known = {"input", *draft.constants}
    for node in draft.nodes:
        assert set(node.inputs) <= known, node
        assert node.output not in known, node
        known.add(node.output)
    assert draft.nodes[-1].output == "logits"


@given(
    name=st.sampled_from(["smallnet_24", "mobilenet_v2_035", "resnet164", "efficientnet_lite0"]),
    sides=st.tuples(st.integers(8, 90), st.integers(8, 90)),
)
@settings(max_examples=25, deadline=None)
def test_the_checker_infers_the_sizes_of_the_spec_at_any_resolution(name: str, sides: Size) -> None:
    """Padding and strides: every convolution's inferred output is the resolved layer's."""
    net = replace(scale(network(name), width=0.1), resolution=sides)
    inferred = onnx.shape_inference.infer_shapes(onnx.load_from_string(onnx_graph(net)), strict_mode=True)
    shapes = {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim) for v in inferred.graph.value_info}
    for number, (_, block) in enumerate(resolve(net).flat()):
        for layer in block.layers:
            if layer.kind == "conv":
                assert shapes[f"{number}.{layer.role}.conv"] == (1, layer.out_channels, *layer.output)


def test_weights_of_another_network_are_refused() -> None:
    state = state_of(nn.build(network("smallnet_24")))
    with pytest.raises(InputError, match="the network has"):
        onnx_graph(replace(network("smallnet_24"), classes=7), state=state)
    with pytest.raises(InputError, match="the weights lack"):
        onnx_graph(network("resnet164"), state=state)


def test_the_seed_decides_the_bytes() -> None:
    net = network("smallnet_24")
    for precision in ("float32", "int8"):
        first, again, other = (onnx_graph(net, precision=precision, seed=seed) for seed in (0, 0, 1))
        assert first == again
        assert first != other


def test_what_no_model_can_hold_and_unknown_precisions_are_refused() -> None:
    """AmoebaNet-B has 557 million params; the message comes before any memory is used."""
    net = network("amoebanet_b")
    with pytest.raises(InputError, match="more than one ONNX model can hold"):
        draft_of(net, _NoMemory(0)).to_bytes(1, 3, net.resolution, net.classes)
    assert 4 * expected_weights(net) > MOST_BYTES
    with pytest.raises(UsageError, match="float32 or int8"):
        onnx_graph(net, precision="int4")  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_weights_beside_a_model_give_the_answers_of_those_inside(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a model held 10 kB at most; onnx itself finds every weight where the model says it is."""
    net, target = small("mobilenet_v3_small", 0.5, (64, 63)), Target(runtime=engine)
    images = np.random.default_rng(0).standard_normal((1, 3, 64, 63), dtype=np.float32)
    wanted = engine_named(engine).open(net, target).run(images)
    monkeypatch.setattr("triscale.engines.graphs.graph_draft.MOST_BYTES", 10_000)
    path = engine_named(engine).written(net, target, tmp_path)
    assert path is not None
    assert path.stat().st_size < 100_000 < path.with_suffix(".bin").stat().st_size
    onnx.checker.check_model(str(path), full_check=True)
    opened = engine_named(engine).open_file(path, target)
    assert np.array_equal(opened.run(images), wanted)
    assert opened.file_size == sum(one.stat().st_size for one in (path, path.with_suffix(".bin")))


def test_a_constant_is_kept_once() -> None:
    draft = GraphDraft()
    assert draft.constant("a", np.zeros(1)) == draft.constant("a", np.ones(1)) == "a"
    assert draft.constants["a"] == 0
