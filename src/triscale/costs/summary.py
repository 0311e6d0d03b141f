"""`cost`: every number of a network at once; where it sits by stage; a separable convolution beside a standard one."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, NamedTuple, cast

from triscale.costs.counts import Counts, count_block, count_layer, count_resolved
from triscale.costs.memory.forecast import Optimizer, Precision, inference_forecast, training_forecast
from triscale.costs.memory.onednn import Kernels
from triscale.costs.metric import Values, registry
from triscale.costs.stored import file_size
from triscale.costs.target import Target, TargetPrecision, training_target
from triscale.notebook_html import ShownInNotebook
from triscale.spec import Layer, Network, Size, resolve
from triscale.spec.network_table import operator
from triscale.spec.rounding import output_side, pad_side


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost(ShownInNotebook):
    """What a network costs: counts for one image, memory in bytes at `batch`, resolution in pixels (h, w).

    `file_size` is in bytes, of the weights and buffers in `weights_precision`. `metrics` holds further ones by name.
    `inference_kernels` and `training_kernels` are the parts of the memory that the kernels of a machine take beside
    tensors; `kernels` names them (an instruction set, or None: tensors alone are counted) and their `threads`.
    """

    network: str
    resolution: Size
    params: int
    macs: int
    activations: int
    inference_memory: int
    training_memory: int
    batch: int
    inference_kernels: int
    training_kernels: int
    kernels: str | None
    threads: int | None
    file_size: int
    weights_precision: TargetPrecision
    metrics: Mapping[str, float] = field(default_factory=dict)

    def of(self, name: str) -> float:
        """A metric by its name; KeyError where it was not asked for."""
        found: float = self.metrics[name] if name in self.metrics else asdict(self)[name]
        return found

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the keys that scripts rely on."""
        return asdict(self) | {"resolution": list(self.resolution)}


class StageCost(NamedTuple):
    """Counts of one stage for one image, and their shares of the network's (0 to 1)."""

    stage: str
    operator: str
    blocks: int
    params: int
    macs: int
    activations: int
    params_share: float
    macs_share: float
    activations_share: float


class Comparison(NamedTuple):
    """Counts of a standard convolution and of the separable one in its place (weights alone), and their ratio."""

    standard: Counts
    separable: Counts
    macs_ratio: float
    params_ratio: float


def cost(
    network: Network,
    *,
    batch: int = 1,
    resolution: Size | None = None,
    optimizer: Optimizer = "sgd",
    precision: Precision = "float32",
    recompute: bool = False,
    ema: bool = False,
    kernels: Kernels | None = None,
    weights_precision: TargetPrecision = "float32",
    metrics: Iterable[str] = (),
) -> Cost:
    """Every cost of a network.

    Args:
        network: any spec.
        batch: images at once; memory alone depends on it.
        resolution: (height, width) in pixels instead of the network's own.
        optimizer: whose state training memory includes.
        precision, recompute, ema: of the training, see `training_forecast`; inference memory is that in fp32.
        kernels: those of the machine; None: memory is that of tensors alone.
        weights_precision: of the stored weights, for `file_size`.
        metrics: names of further metrics of the registry.

    Raises:
        InputError: above 1e15 MACs or 10,000 layers, or a side out of range.
        UsageError: an unknown word or metric, or a batch below 1.
    """
    target = training_target(
        batch=batch, optimizer=optimizer, precision=precision, recompute=recompute, ema=ema, kernels=kernels,
        weights_precision=weights_precision,
    )  # fmt: skip
    return cost_on(network if resolution is None else replace(network, resolution=resolution), target, metrics=metrics)


def cost_on(network: Network, target: Target, *, metrics: Iterable[str] = ()) -> Cost:
    """Every cost of a network on a target: see `cost`. Counted metrics that were registered later are among them."""
    resolved, kernels = resolve(network), target.kernels
    counts, inference = count_resolved(resolved), inference_forecast(resolved, target.batch, kernels=kernels)
    training = training_forecast(
        resolved, target.batch, target.optimizer,
        precision=cast("Precision", target.precision), recompute=target.recompute, ema=target.ema, kernels=kernels,
    )  # fmt: skip
    known = {one.name for one in fields(Cost)}
    further = (name for name, one in registry().items() if one.counted and name not in known)
    return Cost(
        network=network.name,
        resolution=resolved.network.resolution,
        params=counts.params,
        macs=counts.macs,
        activations=counts.activations,
        inference_memory=inference.total,
        training_memory=training.total,
        inference_kernels=inference.kernels,
        training_kernels=training.kernels,
        kernels=kernels.name if kernels else None,
        threads=kernels.threads if kernels else None,
        batch=target.batch,
        file_size=file_size(resolved, target.stored),
        weights_precision=target.stored,
        metrics=Values(target).of(network, dict.fromkeys((*further, *metrics))),
    )


def by_stage(network: Network) -> tuple[StageCost, ...]:
    """Where the cost sits: one row for the stem, each stage, and the head."""
    resolved = resolve(network)
    total = count_resolved(resolved)
    last = len(network.stages) + 1
    rows = []
    for index in range(last + 1):
        runs = [run for run in resolved.runs if run.stage == (index if index < last else -1)]
        counts = Counts(*map(sum, zip(*(_times(count_block(run.block), run.repeats) for run in runs), strict=True)))
        name = "stem" if index == 0 else "head" if index == last else f"stage{index}"
        words = operator(network.stages[index - 1]) if 0 < index < last else runs[0].block.operator
        shares = (part / whole if whole else 0.0 for part, whole in zip(counts, total, strict=True))
        rows.append(StageCost(name, words, sum(run.repeats for run in runs), *counts, *shares))
    return tuple(rows)


def separable_versus_standard(
    size: Size, in_channels: int, out_channels: int, kernel: int, stride: int = 1
) -> Comparison:
    """The arithmetic MobileNet rests on (arXiv 1704.04861, section 3.1): 1 / out_channels + 1 / kernel^2, counted.

    Args:
        size: input (height, width) in pixels; SAME padding.
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel: side of the spatial kernel in pixels.
        stride: of the spatial convolution.
    """
    standard = count_layer(_plain(size, (in_channels, out_channels), kernel, stride))
    depthwise = _plain(size, (in_channels, in_channels), kernel, stride, groups=in_channels)
    pointwise = _plain(depthwise.output, (in_channels, out_channels), 1, 1)
    separable = Counts(*map(sum, zip(count_layer(depthwise), count_layer(pointwise), strict=True)))
    return Comparison(standard, separable, standard.macs / separable.macs, standard.params / separable.params)


def _times(counts: Counts, repeats: int) -> Counts:
    return Counts(*(value * repeats for value in counts))


def _plain(size: Size, channels: tuple[int, int], kernel: int, stride: int, *, groups: int = 1) -> Layer:
    output = output_side(size[0], kernel, stride, "same"), output_side(size[1], kernel, stride, "same")
    pad = (*pad_side(size[0], kernel, stride, "same"), *pad_side(size[1], kernel, stride, "same"))
    return Layer(
        "conv", *channels, kernel, stride, groups,
        bias=False, norm=False, activation=None, input=size, output=output, pad=pad,
    )  # fmt: skip
