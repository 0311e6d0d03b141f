"""The arena against sums by hand, and against the lifetimes of the maps in a graph that others run."""

import math
from collections import Counter

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triscale.costs import Target, arena, metric_named
from triscale.engines.graphs import onnx_graph
from triscale.errors import UsageError
from triscale.families import network


def test_the_arena_of_b0_is_the_depthwise_convolution_that_first_halves_96_maps() -> None:
    assert arena(network("efficientnet_b0"), precision="int8") == 96 * 112**2 + 96 * 56**2


def test_the_arena_of_resnet_50_is_the_sum_of_its_first_block() -> None:
    """The shortcut, the branch, and their sum: 256 maps of 56 x 56 px each."""
    assert arena(network("resnet50"), precision="int8") == 3 * 256 * 56**2


def test_the_arena_of_a_pre_activation_network_is_a_sum_too() -> None:
    """The map that the skip hands on (as wide as the sum), the branch, the sum: 64 maps of 32 x 32 px."""
    assert arena(network("resnet164"), precision="int8") == 3 * 64 * 32**2


@given(name=st.sampled_from(["finenet_20", "mobilenet_v3_large", "senet154", "amoebanet_b"]), batch=st.integers(1, 9))
def test_the_arena_grows_with_the_batch_and_with_the_bytes_of_an_element(name: str, batch: int) -> None:
    one = arena(network(name), precision="int8")

    assert arena(network(name), batch, "int8") == batch * one
    assert arena(network(name), batch, "bfloat16") == 2 * batch * one
    assert arena(network(name), batch) == 4 * batch * one


def test_a_limit_on_the_arena_reads_precision_and_batch_of_the_target() -> None:
    b0 = network("efficientnet_b0")

    assert metric_named("arena").of(b0, Target(precision="int8", batch=2)) == arena(b0, 2, "int8")


def lifetimes_peak(model: onnx.ModelProto) -> int:
    """Most elements that live at once where the nodes run in order; an activation writes where its input was.

    A pure reading of the graph: a value lives from the node that makes it to the last node that reads it.
    """
    inferred = onnx.shape_inference.infer_shapes(model).graph
    sizes = {
        one.name: math.prod(side.dim_value for side in one.type.tensor_type.shape.dim)
        for one in (*inferred.input, *inferred.value_info, *inferred.output)
    }
    readers = Counter(name for node in inferred.node for name in {*node.input})
    stands_for: dict[str, str] = {}  # the name of a map that an activation gave -> that of the map under it

    def under(name: str) -> str:
        return stands_for.get(name, name)

    ops: list[tuple[set[str], str]] = []
    made_by = {node.output[0]: node for node in inferred.node}
    for node in inferred.node:
        given = [name for name in node.input if name in sizes]
        source = given[0]
        gate = node.op_type == "Mul" and made_by[given[1]].op_type in ("Sigmoid", "HardSigmoid")
        silu = gate and made_by[given[1]].input[0] == source
        alone = readers[source] == (2 if silu or (node.op_type == "Sigmoid" and readers[node.output[0]] == 1) else 1)
        fused = node.op_type in ("Relu", "Clip", "HardSwish", "Sigmoid", "HardSigmoid") or silu
        folds = source in made_by and made_by[source].op_type in ("Conv", "Gemm", "Add", "BatchNormalization")
        if (fused and alone and folds) or silu:
            stands_for[node.output[0]] = under(source)
        else:
            ops.append(({under(name) for name in given}, node.output[0]))
    last = {name: at for at, (given, _) in enumerate(ops) for name in given}
    live = dict.fromkeys((one.name for one in inferred.input if one.name in last), 0)
    most = 0
    for at, (_, output) in enumerate(ops):
        live[output] = at
        most = max(most, sum(sizes[name] for name in live))
        live = {name: 0 for name in live if last.get(name, -1) > at}
    return most


@pytest.mark.parametrize(
    "name",
    ["efficientnet_b0", "finenet_20", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large", "resnet50", "smallnet_48"],
)
def test_the_arena_is_the_peak_of_the_lifetimes_in_the_graph_that_engines_read(name: str) -> None:
    model = onnx.load_from_string(onnx_graph(network(name), batch=2))

    assert arena(network(name), 2, "int8") == lifetimes_peak(model)


def test_a_batch_below_1_is_rejected() -> None:
    with pytest.raises(UsageError, match="the batch is 0"):
        arena(network("finenet_20"), 0)
