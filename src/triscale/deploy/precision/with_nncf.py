"""int8 of an OpenVINO graph by NNCF: weights by channel, asymmetric activations in the range that images show."""

import io
import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from types import ModuleType
from typing import Any

from triscale.deploy.as_openvino import AsOpenvino, runner
from triscale.deploy.exported import RunLogits
from triscale.deploy.precision.calibration_images import CalibrationImages
from triscale.deploy.precision.float_region import GraphNode, region_before
from triscale.engines import openvino_core
from triscale.engines.openvino_cpu import hidden_telemetry
from triscale.errors import InputError

_LAYERS = ("Convolution", "GroupConvolution", "MatMul")


def nncf() -> ModuleType:
    """NNCF, imported; InputError names the extra where it is missing. Like OpenVINO it sends no usage data."""
    openvino_core()  # before a core of its own, see there
    with hidden_telemetry(), _silent():
        try:
            return import_module("nncf")
        except ImportError:
            raise InputError("int8 for OpenVINO needs NNCF: pip install 'triscale[int8]'.") from None


class NncfQuantizer:
    """A graph of OpenVINO, and what NNCF makes of it with calibration images.

    All weights take half of the range of int8 (`OverflowFix.ENABLE`): where a processor has no VNNI instructions, pairs
    of products are added in 16 bits, which saturate with the whole range. So the file gives on such machines, too, what
    it was proven to give.

    Args:
        packer: the float32 graph.
        images: that calibrate.
        batch: of the graph; None: any.
    """

    def __init__(self, packer: AsOpenvino, images: CalibrationImages, batch: int | None) -> None:
        self._model, self._images, self._batch = packer.model, images, batch or 1
        self._marked: Any = None

    @property
    def layers(self) -> tuple[str, ...]:
        """See `Quantizer.layers`."""
        return tuple(one.get_friendly_name() for one in self._model.get_ordered_ops() if _is_layer(one))

    def together(self, kept: Collection[str]) -> tuple[str, ...]:
        """See `Quantizer.together`: a layer alone, since only what goes into a layer is quantised."""
        return tuple(layer for layer in self.layers if layer in kept)

    def quantized(self, kept: Collection[str]) -> AsOpenvino:
        """See `Quantizer.quantized`."""
        return AsOpenvino(self._made(kept, compress=True))

    def running(self, kept: Collection[str]) -> RunLogits:
        """See `Quantizer.running`: nodes take what stands before the quantisers of their inputs."""
        if self._marked is None:
            self._marked = self._made((), compress=False)
        model, back = self._marked.clone(), self._back(kept)
        for one in model.get_ordered_ops():
            if one.get_friendly_name() in back:
                _undo(one)
        return runner(model)

    def _back(self, kept: Collection[str]) -> set[str]:
        """Nodes whose inputs are left in float32; the layers before those that are kept are none of them."""
        before = region_before(_nodes(self._model), kept)
        return {*kept, *before.difference(self.layers)}

    def _made(self, kept: Collection[str], *, compress: bool) -> Any:
        tool, found = nncf(), list(self._images.batches(self._batch))
        left = sorted({*self._back(kept), *_silus(self._model)})
        with _silent():
            return tool.quantize(
                self._model,
                tool.Dataset(found),
                subset_size=len(found),
                preset=tool.QuantizationPreset.MIXED,
                ignored_scope=tool.IgnoredScope(names=left, validate=False) if left else None,
                advanced_parameters=tool.AdvancedQuantizationParameters(
                    overflow_fix=tool.OverflowFix.ENABLE,
                    activations_range_estimator_params=_ranges().MINMAX,
                    backend_params={"compress_weights": compress},
                ),
            )


def _ranges() -> Any:
    """How the range of a map is estimated. NNCF's own choice, a mean over images, cuts off what few images have."""
    return import_module("nncf.quantization.range_estimator").RangeEstimatorParametersSet


def _is_layer(operation: Any) -> bool:
    return operation.get_type_name() in _LAYERS


def _nodes(model: Any) -> list[GraphNode]:
    return [
        GraphNode(name=one.get_friendly_name(), layer=_is_layer(one), sources=tuple(_sources(one)))
        for one in model.get_ordered_ops()
    ]


def _sources(operation: Any) -> Iterator[str]:
    """Nodes that it reads maps of; a layer's first input is one, the others are weights."""
    for index in range(1 if _is_layer(operation) else operation.get_input_size()):
        source = operation.input_value(index).get_node()
        if source.get_type_name() not in ("Constant", "Parameter"):
            yield source.get_friendly_name()


def _silus(model: Any) -> list[str]:
    """The nodes of x * sigmoid(x): NNCF would quantise both factors, and OpenVINO computes it with the convolution."""
    found = []
    for one in model.get_ordered_ops():
        if one.get_type_name() == "Multiply":
            for this, other in ((0, 1), (1, 0)):
                gate = one.input_value(this).get_node()
                if gate.get_type_name() == "Sigmoid" and gate.input_value(0) == one.input_value(other):
                    found += [one.get_friendly_name(), gate.get_friendly_name()]
    return found


def _undo(operation: Any) -> None:
    for index in range(operation.get_input_size()):
        source = operation.input_value(index).get_node()
        if source.get_type_name() == "FakeQuantize":
            operation.input(index).replace_source_output(source.input_value(0))


@contextmanager
def _silent() -> Iterator[None]:
    """NNCF draws bars and reports on stdout, where our documents go, and torch warns when it is imported for it."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
