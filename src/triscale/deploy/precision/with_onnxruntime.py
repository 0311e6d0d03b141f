"""int8 of an ONNX graph by ONNX Runtime's static quantisation: QDQ nodes, weights by channel, unsigned activations."""

import copy
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from triscale.deploy.about import INPUT
from triscale.deploy.as_onnx import AsOnnx, library, runner
from triscale.deploy.exported import Floats, RunLogits
from triscale.deploy.precision.calibration_images import CalibrationImages
from triscale.deploy.precision.float_region import GraphNode, region_before

_LAYERS = ("Conv", "Gemm", "MatMul")
_BESIDE = ("Add", "Mul", "Clip", "Relu", "Sigmoid", "HardSigmoid", "ReduceMean", "GlobalAveragePool", "MaxPool")
"""Operators that are quantised too, so that maps stay in int8 between layers."""

_BATCH = 8


class OnnxRuntimeQuantizer:
    """The ranges that the maps of a graph have on calibration images, and the int8 graphs that follow from them.

    Weights take 7 bits: where a processor has no VNNI instructions, ONNX Runtime adds pairs of products in 16 bits,
    which saturate with 8. So the file gives on such machines, too, what it was proven to give.

    Args:
        packer: the float32 graph.
        images: that calibrate.
        batch: of the graph; None: any.
    """

    def __init__(self, packer: AsOnnx, images: CalibrationImages, batch: int | None) -> None:
        self._graph = library("onnx").shape_inference.infer_shapes(packer.proto)
        self._nodes = _nodes(self._graph.graph)
        self._ranges = _ranges(self._graph, _Reader(images.batches(batch or _BATCH)))

    @property
    def layers(self) -> tuple[str, ...]:
        """See `Quantizer.layers`."""
        return tuple(node.name for node in self._graph.graph.node if node.op_type in _LAYERS)

    def together(self, kept: Collection[str]) -> tuple[str, ...]:
        """See `Quantizer.together`: with the layers whose answers go into it, which are quantised as they come."""
        back = self._back(kept)
        return tuple(layer for layer in self.layers if layer in back)

    def _back(self, kept: Collection[str]) -> frozenset[str]:
        """Nodes that are left in float32: layers, and all from the layers before them on."""
        return frozenset(kept) | region_before(self._nodes, kept)

    def quantized(self, kept: Collection[str]) -> AsOnnx:
        """See `Quantizer.quantized`."""
        from onnxruntime.quantization import QuantType  # noqa: PLC0415  onnxruntime is an extra
        from onnxruntime.quantization.qdq_quantizer import QDQQuantizer  # noqa: PLC0415

        made = QDQQuantizer(
            copy.deepcopy(self._graph), per_channel=True, reduce_range=True, weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8, tensors_range=self._ranges, nodes_to_quantize=[],
            nodes_to_exclude=sorted(self._back(kept)), op_types_to_quantize=[*_LAYERS, *_BESIDE], extra_options={},
        )  # fmt: skip
        made.quantize_model()
        return AsOnnx(made.model.model)

    def running(self, kept: Collection[str]) -> RunLogits:
        """See `Quantizer.running`."""
        return runner(self.quantized(kept).proto.SerializeToString())


class _Reader:
    """Batches as ONNX Runtime's calibration reads them."""

    def __init__(self, batches: Iterator[Floats]) -> None:
        self._batches = batches

    def get_next(self) -> dict[str, Floats] | None:
        """The next batch by the name of the input; None after the last."""
        found = next(self._batches, None)
        return None if found is None else {INPUT: found}


def _nodes(graph: Any) -> list[GraphNode]:
    made_by = {name: node.name for node in graph.node for name in node.output}
    return [
        GraphNode(
            name=node.name,
            layer=node.op_type in _LAYERS,
            sources=tuple(made_by[name] for name in node.input if name in made_by),
        )
        for node in graph.node
    ]


def _ranges(graph: Any, reader: _Reader) -> Any:
    """Least and largest value of each map; ONNX Runtime reads the graph from a file."""
    from onnxruntime.quantization.calibrate import CalibrationMethod, create_calibrator  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="triscale-") as folder:
        path = Path(folder) / "float32.onnx"
        library("onnx").save(graph, path)
        calibrator = create_calibrator(
            path, None, str(Path(folder) / "ranges.onnx"), calibrate_method=CalibrationMethod.MinMax
        )
        calibrator.collect_data(reader)
        return calibrator.compute_data()
