"""A model made ready to be exported, and what of its input's shape stays open."""

import copy
import io
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import torch
from torch import Tensor

from triscale.deploy.about import About
from triscale.errors import InputError, UsageError
from triscale.nn import build
from triscale.spec import AnyNetwork, ForeignNetwork, Size
from triscale.weights import AnyModel, Classifier
from triscale.weights.read.strict import refuse_values

Shapes = tuple[dict[int, Any]] | None
"""Open dimensions of the one input, as `torch.export` takes them."""

MOST_SIDE = 16384


def plain(classifier: Classifier) -> AnyModel:
    """A copy of the model on the CPU, in float32 and plain memory; see `require_exportable` for errors."""
    require_exportable(classifier)
    model = copy.deepcopy(classifier.model).to("cpu", torch.float32).to(memory_format=torch.contiguous_format)
    return model.requires_grad_(requires_grad=False)


def require_exportable(classifier: Classifier) -> None:
    """InputError where the model is in training mode, or holds NaN or infinity."""
    training = [name or "the model" for name, module in classifier.model.named_modules() if module.training]
    if training:
        raise InputError(f"{training[0]} is in training mode; call model.eval() before it is exported.")
    refuse_values(classifier.model.state_dict())


def least_size(network: AnyNetwork, size: Size) -> Size:
    """The smallest (height, width) of an export with open size: the last map has two pixels a side there.

    Raises:
        UsageError: the network's padding follows the size of the image, so a graph has to be made for each size; or
            it is foreign, so nothing is known of its sizes.
    """
    if isinstance(network, ForeignNetwork):
        raise UsageError(f"which sizes {network.path} takes is not known; leave --dynamic-size out.")
    if network.padding != "symmetric" or any(stage.cell for stage in network.stages):
        raise UsageError(
            f"{network.name} pads by the size of the image (SAME), so a graph is right for one size only.\n"
            "Leave --dynamic-size out, and export once for each size."
        )
    with torch.device("meta"):
        last = build(network).eval().forward_features(torch.empty(1, network.input_channels, *size)).shape[-2:]
    return (_least(size[0], last[0]), _least(size[1], last[1]))


def _least(side: int, last: int) -> int:
    """Strides are powers of two: the least side that leaves two pixels, and not one, which torch takes for a case."""
    return 2 << round(math.log2(side / last))


def example(about: About) -> tuple[Tensor, Shapes]:
    """A random input [n, c, h, w] for tracing, with what stays open."""
    size = about.size
    if about.least is not None:
        size = (max(size[0], about.least[0]), max(size[1], about.least[1]))
    batch = about.batch or 2  # torch takes a one for a constant
    open_sides: dict[int, Any] = {} if about.batch else {0: torch.export.Dim("batch", min=1)}
    if about.least is not None:
        for axis, (name, least) in enumerate(zip(("height", "width"), about.least, strict=True), 2):
            open_sides[axis] = torch.export.Dim(name, min=least, max=MOST_SIDE)
    return torch.zeros(batch, about.network.input_channels, *size), (open_sides,) if open_sides else None


@contextmanager
def quiet() -> Iterator[None]:
    """Exporters warn about themselves; what they make is proven afterwards."""
    with redirect_stdout(io.StringIO()), warnings.catch_warnings(), torch.no_grad():  # onnxscript prints to stdout
        warnings.simplefilter("ignore")
        yield
