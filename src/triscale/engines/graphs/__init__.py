"""ONNX models written straight from a resolved network: in milliseconds, without torch, random or given weights."""

from triscale.engines.graphs.graph_draft import INPUT, MOST_BYTES, OUTPUT, GraphDraft, Node
from triscale.engines.graphs.network_graph import GraphPrecision, draft_of, onnx_graph, write_onnx_graph
from triscale.layer_weights import LayerWeights, RandomWeights, StoredWeights

__all__ = [
    "INPUT", "MOST_BYTES", "OUTPUT", "GraphDraft", "GraphPrecision", "LayerWeights", "Node", "RandomWeights",
    "StoredWeights", "draft_of", "onnx_graph", "write_onnx_graph",
]  # fmt: skip
