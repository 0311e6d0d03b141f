"""From a network to an ONNX model: what `spec.resolve` says, node by node, in the order of the data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from triscale.engines.graphs.block_nodes import write_block, write_head, write_stem
from triscale.engines.graphs.cell_nodes import write_cell
from triscale.engines.graphs.graph_draft import INPUT, OUTPUT, GraphDraft
from triscale.engines.graphs.layer_nodes import LayerWriter
from triscale.engines.graphs.quantized import quantized
from triscale.errors import UsageError
from triscale.layer_weights import LayerWeights, RandomWeights, StoredWeights, module_names
from triscale.spec import Network, resolve

GraphPrecision = Literal["float32", "int8"]


def onnx_graph(
    network: Network,
    *,
    batch: int = 1,
    seed: int = 0,
    precision: GraphPrecision = "float32",
    state: Mapping[str, NDArray[Any]] | None = None,
) -> bytes:
    """The network as an ONNX model that computes what the built module in eval mode does, norms folded.

    Args:
        network: the spec; its resolution is the model's.
        batch: images at once; the model takes no other number.
        seed: of the weights, and of the scales of int8.
        precision: "int8" has quantize and dequantize nodes around every operation, weights in signed int8 by channel,
            activations in uint8. Its scales are of the right order and no more: for timing, not for accuracy.
        state: arrays by the names of the module's state dict, to be written instead of random weights.

    Returns:
        The bytes of a model from `input`, float32 [batch, channels, h, w], to `logits`, [batch, classes].

    Raises:
        InputError: onnx is not installed, the state is of another network, or the weights are above 2 GB.
        UsageError: an unknown precision.
    """
    weights = RandomWeights(seed) if state is None else StoredWeights(state, network.norm.eps)
    draft = _draft_in(precision, network, weights, seed)
    return draft.to_bytes(batch, network.input_channels, network.resolution, network.classes)


def write_onnx_graph(
    network: Network, path: Path, *, batch: int = 1, seed: int = 0, precision: GraphPrecision = "float32"
) -> None:
    """Write the file of such a model with random weights; above 2 GB they are in a `.bin` beside it.

    Raises:
        InputError: onnx is not installed.
        UsageError: an unknown precision.
    """
    draft = _draft_in(precision, network, RandomWeights(seed), seed)
    draft.write(path, batch, network.input_channels, network.resolution, network.classes)


def _draft_in(precision: GraphPrecision, network: Network, weights: LayerWeights, seed: int) -> GraphDraft:
    if precision not in ("float32", "int8"):
        raise UsageError(f"a graph in {precision!r} is not known; give float32 or int8.")
    draft = draft_of(network, weights)
    return quantized(draft, seed) if precision == "int8" else draft


def draft_of(network: Network, weights: LayerWeights) -> GraphDraft:
    """The nodes and constants of the network's float32 graph."""
    draft = GraphDraft()
    resolved = resolve(network)
    x = previous = INPUT
    for number, ((_, block), module) in enumerate(zip(resolved.flat(), module_names(resolved), strict=True)):
        at = LayerWriter(draft, weights, network.norm.eps, number, module)
        if block.cell:
            x, previous = write_cell(at, block, x, previous), x
        else:
            write = {"stem": write_stem, "head": write_head, "classifier": write_head}.get(block.operator, write_block)
            x = previous = write(at, block, x)
    draft.nodes[-1] = draft.nodes[-1]._replace(output=OUTPUT)
    return draft
