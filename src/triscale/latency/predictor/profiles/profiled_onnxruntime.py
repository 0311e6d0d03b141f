"""The profile that ONNX Runtime writes of its own runs."""

import json
import tempfile
from pathlib import Path
from typing import Any

from triscale.costs import Target
from triscale.engines import Floats, OnnxRuntimeEngine
from triscale.latency.predictor.node_times import NodeTimes

_KERNEL = "_kernel_time"


def profile_onnxruntime(
    engine: OnnxRuntimeEngine, graph: bytes, target: Target, images: Floats, runs: int
) -> tuple[NodeTimes, ...]:
    """Run a graph in a session that profiles itself; the nodes are in the order in which they ran.

    Returns:
        The nodes of the optimised graph, each with the wall time of every run.
    """
    with tempfile.TemporaryDirectory(prefix="triscale-") as folder:
        options = engine.options(target.threads)
        options.enable_profiling, options.profile_file_prefix = True, str(Path(folder) / "profile")
        session = engine.session(graph, options)
        given = session.get_inputs()[0].name
        for _ in range(runs):
            session.run(None, {given: images})
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return _nodes(events)


def _nodes(events: list[dict[str, Any]]) -> tuple[NodeTimes, ...]:
    found = dict[tuple[str, str], list[float]]()
    for event in events:
        name = event["name"]
        if event["cat"] == "Node" and name.endswith(_KERNEL):
            key = name.removesuffix(_KERNEL), event["args"]["op_name"]
            found.setdefault(key, []).append(float(event["dur"]))
    return tuple(NodeTimes(*key, tuple(values)) for key, values in found.items())
