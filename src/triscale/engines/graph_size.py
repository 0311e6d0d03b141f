"""The size of a graph, which engines of graphs share."""

from triscale.engines.contract import Graph


def graph_size(graph: Graph) -> int:
    """Bytes of a graph, or of its file and the weights beside it."""
    if isinstance(graph, bytes):
        return len(graph)
    weights = graph.with_suffix(".bin")
    return graph.stat().st_size + (weights.stat().st_size if weights.exists() else 0)
