"""What graph engines share: the size of a graph, and the first line of what a library complains of."""

from triscale.engines.contract import Graph


def graph_size(graph: Graph) -> int:
    """Bytes of a graph, or of its file and the weights beside it."""
    if isinstance(graph, bytes):
        return len(graph)
    weights = graph.with_suffix(".bin")
    return graph.stat().st_size + (weights.stat().st_size if weights.exists() else 0)


def first_line(error: BaseException) -> str:
    """The first line of a message that has any text, without its full stop."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__).rstrip(".")
