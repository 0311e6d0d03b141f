"""From a network to an ONNX model: its operations, node by node, in the order of the data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from triscale.engines.graphs.graph_draft import OUTPUT, GraphDraft
from triscale.engines.graphs.onnx_nodes import NodeWriter
from triscale.engines.graphs.quantized import quantized
from triscale.errors import UsageError
from triscale.layer_weights import LayerWeights, RandomWeights, StoredWeights
from triscale.spec import Network, resolve
from triscale.spec.dataflow import nodes_of

GraphPrecision = Literal["float32", "int8"]


def onnx_graph(
    network: Network,
    *,
    batch: int = 1,
    seed: int = 0,
    precision: GraphPrecision = "float32",
    whole_silu: bool = False,
    state: Mapping[str, NDArray[Any]] | None = None,
) -> bytes:
    """The network as an ONNX model that computes what the built module in eval mode does, norms folded.

    Args:
        network: the spec; its resolution is the model's.
        batch: images at once; the model takes no other number.
        seed: of the weights, and of the scales of int8.
        precision: "int8" has quantize and dequantize nodes around every operation, weights in signed int8 by channel,
            activations in uint8. Its scales are of the right order and no more: for timing, not for accuracy.
        whole_silu: int8 only: no quantize nodes inside of a SiLU, as NNCF leaves it for OpenVINO; ONNX Runtime's
            quantizer has them.
        state: arrays by the names of the module's state dict, to be written instead of random weights.

    Returns:
        The bytes of a model from `input`, float32 [batch, channels, h, w], to `logits`, [batch, classes].

    Raises:
        InputError: onnx is not installed, the state is of another network, or the weights are above 2 GB.
        UsageError: an unknown precision.
    """
    weights = RandomWeights(seed) if state is None else StoredWeights(state, network.norm.eps)
    draft = _draft_in(precision, network, weights, seed, whole_silu=whole_silu)
    return draft.to_bytes(batch, network.input_channels, network.resolution, network.classes)


def write_onnx_graph(
    network: Network,
    path: Path,
    *,
    batch: int = 1,
    seed: int = 0,
    precision: GraphPrecision = "float32",
    whole_silu: bool = False,
) -> None:
    """Write the file of such a model with random weights; above 2 GB they are in a `.bin` beside it. See `onnx_graph`.

    Raises:
        InputError: onnx is not installed.
        UsageError: an unknown precision.
    """
    draft = _draft_in(precision, network, RandomWeights(seed), seed, whole_silu=whole_silu)
    draft.write(path, batch, network.input_channels, network.resolution, network.classes)


def _draft_in(
    precision: GraphPrecision, network: Network, weights: LayerWeights, seed: int, *, whole_silu: bool
) -> GraphDraft:
    if precision not in ("float32", "int8"):
        raise UsageError(f"a graph in {precision!r} is not known; give float32 or int8.")
    draft = draft_of(network, weights)
    return quantized(draft, seed, whole_silu=whole_silu) if precision == "int8" else draft


def draft_of(network: Network, weights: LayerWeights) -> GraphDraft:
    """The nodes and constants of the network's float32 graph."""
    draft = GraphDraft()
    writer = NodeWriter(draft, weights, network.norm.eps)
    tensors: list[str] = []
    for node in nodes_of(resolve(network)):
        tensors.append(writer.write(node, [tensors[number] for number in node.inputs]))
    draft.nodes[-1] = draft.nodes[-1]._replace(output=OUTPUT)
    return draft
