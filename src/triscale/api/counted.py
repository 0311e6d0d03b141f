"""What needs no module: names, scaling, cost and budgets; each takes a network or its name."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from triscale import families, scaling, spec
from triscale.costs import (
    ANYWHERE,
    Cost,
    Kernels,
    Optimizer,
    Precision,
    Target,
    TargetPrecision,
    known_here,
    needed,
    read_limit,
    training_target,
)  # fmt: skip
from triscale.costs import cost as count_cost
from triscale.errors import UsageError
from triscale.latency.any_budget import fit_any_budget
from triscale.latency.limited_on import limited_on
from triscale.scaling import BudgetFit, Coefficients, Ruled, any_network, network
from triscale.spec import AnyNetwork, ForeignNetwork, Network

if TYPE_CHECKING:
    from triscale.latency.measuring import Watch

Here = Literal["here"]
"""This machine."""

NamedNetwork = AnyNetwork | str | Callable[..., object]
"""A network, its name, or a function or class of somebody's module that makes one."""

__all__ = [
    "ForeignNetwork",
    "as_network",
    "cost",
    "fit_budget",
    "kernels_of",
    "network",
    "networks",
    "plain",
    "scale",
    "scale_by_rules",
    "whole",
]


def networks(pattern: str = "*") -> list[str]:
    """The names of the registered networks that match a pattern such as "resnet*", in the order of their families.

    Raises:
        UsageError: none matches.
    """
    return families.matching(pattern)


def scale(
    net: Network | str,
    *,
    depth: float = 1.0,
    width: float = 1.0,
    resolution: float = 1.0,
    phi: float | None = None,
    rule: str = "compound",
    coefficients: Coefficients | None = None,
) -> Network:
    """The network with its depth, width and resolution multiplied and rounded, by factors or along a rule to `phi`.

    See `triscale.spec.scale` for the factors, `triscale.scaling.factors` for rules, and both for the errors.
    """
    base = as_network(net)
    if phi is None:
        return spec.scale(base, depth=depth, width=width, resolution=resolution)
    if (depth, width, resolution) != (1.0, 1.0, 1.0):
        raise UsageError("give phi, or factors of depth, width and resolution, not both.")
    return scaling.scale_by_rule(base, rule, phi, coefficients)


def cost(
    net: NamedNetwork,
    *,
    resolution: int | tuple[int, int] | None = None,
    batch: int = 1,
    optimizer: Optimizer = "sgd",
    precision: Precision = "float32",
    recompute: bool = False,
    ema: bool = False,
    kernels: Kernels | Here | None = "here",
    weights_precision: TargetPrecision = "float32",
    metrics: Iterable[str] = (),
) -> Cost:
    """What a network costs: params, MACs, activations of one image; memory in bytes at a batch size; bytes of a file.

    A foreign network, such as "my_package.models:build", is imported and counted by torch; of kernels and of blocks to
    run again nothing is known there.

    Args:
        net: a network, its name, or a callable that makes a foreign one.
        resolution: pixels, or (height, width); by default the network's own.
        batch: images a step, for the memory.
        optimizer: whose state counts as training memory.
        precision: of the training, "float32" or "bfloat16" (by autocast).
        recompute: the training keeps the inputs of blocks alone, and makes their maps again in backward.
        ema: the training keeps a moving average.
        kernels: whose kernels the memory counts beside tensors: this machine's, `triscale.costs.kernels("avx2", 2)` for
            another, or None for tensors alone.
        weights_precision: of the stored weights: "float32", "float16", "bfloat16" or "int8" (biases and norms stay
            float32).
        metrics: further metrics by their names in `triscale.costs.registry()`, for `Cost.metrics`.

    Raises:
        UsageError: an unknown name or word, or a resolution or batch that is not above 0.
        InputError: a network that is too large.
    """
    size, found = _pixels(resolution), as_any_network(net)
    if isinstance(found, ForeignNetwork):
        target = training_target(
            batch=whole("batch", batch), optimizer=optimizer, precision=precision, recompute=recompute, ema=ema,
            weights_precision=weights_precision,
        )  # fmt: skip
        return _foreign_cost(found if size is None else replace(found, resolution=size, fingerprint=""), target)
    return count_cost(
        found, resolution=size, batch=plain(batch),
        optimizer=optimizer, precision=precision, recompute=recompute, ema=ema, kernels=kernels_of(kernels, precision),
        weights_precision=weights_precision, metrics=metrics,
    )  # fmt: skip


def _foreign_cost(network: ForeignNetwork, target: Target) -> Cost:
    from triscale.foreign import cost as foreign_cost  # noqa: PLC0415  torch is loaded only here

    return foreign_cost(network, target)


def fit_budget(
    net: Network | str,
    *,
    rule: str = "compound",
    coefficients: Coefficients | None = None,
    batch: int = 1,
    filled: bool = False,
    optimizer: Optimizer = "sgd",
    precision: Precision = "float32",
    recompute: bool = False,
    ema: bool = False,
    kernels: Kernels | Here | None = "here",
    weights_precision: TargetPrecision = "float32",
    target: Target | str | None = None,
    watch: "Watch | None" = None,
    **limits: float | str,
) -> BudgetFit:
    """The largest network on a rule's curve that keeps every limit, such as `macs=1e9, params="9M"`.

    A limit is the name of any metric in `triscale.costs.registry()`. See `triscale.scaling.fit_budget` for the
    arguments and errors, and `cost` for the words on training.

    Args:
        target: all that the metrics depend on, instead of the words on training; as text the engine that a limit on
            latency is of, such as "onnxruntime:float32:t1". Such an answer is measured: see
            `triscale.latency.clocked_fit`.
        watch: receives the progress of the measurement; None: no progress.
    """
    base = as_network(net)
    numbers = {name: read_limit(name, limit) for name, limit in limits.items()}
    if not isinstance(target, Target):
        training = training_target(
            batch=batch, optimizer=optimizer, precision=precision, recompute=recompute, ema=ema,
            kernels=kernels_of(kernels, precision) if needed(numbers, "kernels") else None,
            weights_precision=weights_precision,
        )  # fmt: skip
        target = limited_on(numbers, target, training)
    return fit_any_budget(
        base, numbers, rule=rule, coefficients=coefficients, target=target, filled=filled, watch=watch
    )


def scale_by_rules(
    net: Network | str,
    *rules: str,
    phi: float | None = None,
    coefficients: Coefficients | None = None,
    target: Target = ANYWHERE,
    **limits: float | str,
) -> tuple[Ruled, ...]:
    """The network scaled by several rules side by side, each with its source; without names by all.

    Args:
        net: the baseline.
        rules: such as "compound", "width"; see `triscale.scaling.RULES`.
        phi: to it; or give limits such as `macs=1e9`, for the largest network that keeps them by each rule.
        coefficients: of the rule "found".
        target: what the limits are of.

    Raises:
        UsageError, InputError: see `triscale.scaling.by_rules`.
    """
    numbers = {name: read_limit(name, limit) for name, limit in limits.items()}
    return scaling.by_rules(as_network(net), rules, phi=phi, limits=numbers, coefficients=coefficients, target=target)


def kernels_of(kernels: Kernels | Here | None = "here", precision: Precision = "float32") -> Kernels | None:
    """Kernels as they are given, or those of this machine: known by its instruction set, else measured once."""
    if kernels != "here":
        return kernels
    known = known_here(bfloat16=precision == "bfloat16")
    if known is None:
        from triscale.nn import kept_kernels  # noqa: PLC0415  torch is loaded only here

        known = kept_kernels()
    return known


def plain(value: Any) -> Any:
    """A number of NumPy as the number of Python that it is; everything else as it was given."""
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "shape", None) == () else value


def whole(name: str, value: object) -> int:
    """A whole number above 0; UsageError, with the argument's name, for anything else."""
    number = plain(value)
    if type(number) is not int or number < 1:
        raise UsageError(f"{name} is {value!r}; give a whole number above 0.")
    return number


def _pixels(resolution: object) -> tuple[int, int] | None:
    if resolution is None:
        return None
    sides = tuple(resolution) if isinstance(resolution, tuple | list) else (resolution, resolution)
    if len(sides) != 2:
        raise UsageError(f"resolution is {resolution!r}; give pixels such as 224, or (height, width).")
    return whole("resolution", sides[0]), whole("resolution", sides[1])


def as_any_network(net: object) -> AnyNetwork:
    """The network itself, the one that a name means, or the foreign one that a function or class makes.

    Raises:
        UsageError: anything else.
        InputError: a function that other processes cannot import.
    """
    if isinstance(net, ForeignNetwork):
        return net
    if isinstance(net, str):
        return any_network(net)
    if inspect.isroutine(net) or isinstance(net, type):
        from triscale.foreign import path_of  # noqa: PLC0415  torch is loaded only here

        return ForeignNetwork(path_of(net))
    return as_network(net)


def as_network(net: object) -> Network:
    """The network itself, or the one that a name means; UsageError for anything else."""
    if isinstance(net, ForeignNetwork):
        net = net.name
    if not isinstance(net, Network | str):
        raise UsageError(f"{net!r} is not a network: give a name such as 'efficientnet_b0', or a spec.")
    return network(net) if isinstance(net, str) else net
