"""What graph engines share: the size of a graph, and the first line of what a library complains of."""

from triscale.engines.contract import Graph


def graph_size(graph: Graph) -> int:
    """Bytes of an ONNX graph or of its file."""
    return len(graph) if isinstance(graph, bytes) else graph.stat().st_size


def first_line(error: BaseException) -> str:
    """The first line of a message that has any text, without its full stop."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__).rstrip(".")
