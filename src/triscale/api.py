"""The public functions: each takes a network or its name and is a thin way to one room.

Torch is loaded by `build`, `load` and `evaluate` only.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from triscale import families, scaling, spec
from triscale.cost import Cost, Kernels, Optimizer, Precision, inference_memory, known_here, training_memory
from triscale.cost import cost as count_cost
from triscale.errors import UsageError
from triscale.quantities import quantity
from triscale.scaling import PAPER, BudgetFit, Coefficients, network
from triscale.spec import AnyNetwork, ForeignNetwork, Network, is_foreign_text

if TYPE_CHECKING:
    from triscale.data import Policy
    from triscale.evaluate import Evaluation
    from triscale.nn import Model
    from triscale.weights import Answering, AnyModel

Here = Literal["here"]
"""This machine."""

__all__ = ["ForeignNetwork", "build", "check", "cost", "evaluate", "fit_budget", "load", "network", "networks", "scale"]


def networks() -> list[str]:
    """The names of all registered networks, in the order of their families."""
    return list(families.registry())


def scale(
    net: Network | str,
    *,
    depth: float = 1.0,
    width: float = 1.0,
    resolution: float = 1.0,
    phi: float | None = None,
    rule: str = "compound",
    coefficients: Coefficients = PAPER,
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
    net: AnyNetwork | str,
    *,
    resolution: int | tuple[int, int] | None = None,
    batch: int = 1,
    optimizer: Optimizer = "sgd",
    precision: Precision = "float32",
    recompute: bool = False,
    ema: bool = False,
    kernels: Kernels | Here | None = "here",
) -> Cost:
    """What a network costs, counted: params, MACs, activations of one picture; memory in bytes at a batch size.

    A foreign network, such as "my_package.models:build", is imported and counted by torch; of the kernels and of
    recomputation nothing is known there.

    Args:
        net: a network, or its name.
        resolution: pixels, or (height, width); by default the network's own.
        batch: pictures a step, for the memory.
        optimizer: whose state counts as training memory.
        precision: of the training, "float32" or "bfloat16" (by autocast).
        recompute: the training keeps the inputs of blocks alone, and makes their maps again in backward.
        ema: the training keeps a moving average.
        kernels: whose kernels the memory counts beside tensors: this machine's, `triscale.cost.kernels("avx2", 2)` for
            another, or None for tensors alone.

    Raises:
        UsageError: an unknown name or word, or a resolution or batch that is not above 0.
        InputError: a network too large to be meant.
    """
    size = (resolution, resolution) if isinstance(resolution, int) else resolution
    foreign = ForeignNetwork.parse(net) if isinstance(net, str) and is_foreign_text(net) else net
    if isinstance(foreign, ForeignNetwork):
        from triscale.foreign import cost as foreign_cost  # noqa: PLC0415  torch is loaded only here

        return foreign_cost(
            foreign, resolution=size, batch=batch, optimizer=optimizer, precision=precision, ema=ema
        )  # fmt: skip
    return count_cost(
        as_network(net), resolution=size, batch=batch,
        optimizer=optimizer, precision=precision, recompute=recompute, ema=ema, kernels=kernels_of(kernels, precision),
    )  # fmt: skip


def fit_budget(
    net: Network | str,
    *,
    rule: str = "compound",
    coefficients: Coefficients = PAPER,
    batch: int = 1,
    filled: bool = False,
    optimizer: Optimizer = "sgd",
    precision: Precision = "float32",
    recompute: bool = False,
    ema: bool = False,
    kernels: Kernels | Here | None = "here",
    **limits: float | str,
) -> BudgetFit:
    """The largest network on a rule's curve that keeps every limit, such as `macs=1e9, params="9M"`.

    See `triscale.scaling.fit_budget` for the arguments and errors, and `cost` for the words on training.
    """
    counted = kernels_of(kernels, precision)
    trained_in = partial(
        training_memory, optimizer=optimizer, precision=precision, recompute=recompute, ema=ema, kernels=counted
    )
    numbers = {
        name: quantity(limit, f"the limit {name}") if isinstance(limit, str) else limit
        for name, limit in limits.items()
    }
    return scaling.fit_budget(
        as_network(net), numbers,
        rule=rule, coefficients=coefficients, batch=batch, filled=filled,
        trained_in=trained_in, inferred_in=partial(inference_memory, kernels=counted),
    )  # fmt: skip


def kernels_of(kernels: Kernels | Here | None = "here", precision: Precision = "float32") -> Kernels | None:
    """Kernels as they are given, or those of this machine: known by its instruction set, else measured once."""
    if kernels != "here":
        return kernels
    known = known_here(bfloat16=precision == "bfloat16")
    if known is None:
        from triscale.nn import kept_kernels  # noqa: PLC0415  torch is loaded only here

        known = kept_kernels()
    return known


def build(net: Network | str) -> "Model":
    """The network as a torch module with fresh weights, in training mode."""
    from triscale.nn import build as build_network  # noqa: PLC0415  torch is loaded only here

    return build_network(as_network(net))


def load(run_or_weights: str | Path, network: str | None = None, *, allow_pth: bool = False) -> "AnyModel":
    """The trained network of a run folder (its best one) or of weights of any kind, in evaluation mode.

    See `triscale.weights.load_weights` for the arguments and errors.
    """
    from triscale.weights import load_weights  # noqa: PLC0415  torch is loaded only here

    return load_weights(run_or_weights, network, allow_pth=allow_pth).model()


def evaluate(
    run_or_model: "str | Path | Answering",
    data: str | Path,
    *,
    split: str | None = None,
    batch: int = 32,
    override: Mapping[str, object] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> "Evaluation":
    """How many pictures of a data set a trained network tells right; every picture counts once.

    Args:
        run_or_model: a run folder, a checkpoint file, or a `triscale.weights.Answering` (a model with its classes
            and its preprocessing: a model alone does not say what it was trained on).
        data: see `triscale.data.open_split`; classes are matched by name.
        split: `test`, `val`, `train` or `all`, taken whole; without it, see `triscale.data.open_split`, and images that
            the weights were trained on are left out.
        batch: pictures a step; it changes the memory, not the answer.
        override: fields of the preprocessing to replace on purpose, such as `{"interpolation": "bilinear"}`.
        progress: called with `(done, n)`.

    Raises:
        InputError: nothing usable there, or classes that the network does not know.
        NumericError: the network answers what is not finite.
    """
    from triscale.evaluate import evaluate as evaluate_classifier  # noqa: PLC0415  torch is loaded only here
    from triscale.weights import load_classifier  # noqa: PLC0415

    found = load_classifier(run_or_model) if isinstance(run_or_model, str | Path) else run_or_model
    held = found.held_to({}, override) if override else found
    return evaluate_classifier(held, data, split=split, batch=batch, progress=progress)


def check(
    data: str | Path, *, policy: "Policy | None" = None, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """The verdict on a data set that a study or training acts on: every file is hashed, and decoded once.

    Args:
        data: see `triscale.data.open_data`.
        policy: what is done about doubtful pictures; by default they are left out and told.
        progress: called with `(done, whole)`: each file counts twice, when it is read and when it is decoded. The
            whole grows while many files are looked for.

    Returns:
        See `triscale.data.check.verdict`.

    Raises:
        InputError: nothing usable there.
    """
    from triscale.data import Policy, open_data  # noqa: PLC0415  decoders are loaded only here
    from triscale.data.check import verdict  # noqa: PLC0415

    return verdict(open_data(data, policy=policy or Policy(), progress=progress))


def as_network(net: object) -> Network:
    """The network itself, or the one that a name means; UsageError for anything else."""
    if isinstance(net, ForeignNetwork):
        net = net.name
    if not isinstance(net, Network | str):
        raise UsageError(f"{net!r} is no network: give a name such as 'efficientnet_b0', or a spec.")
    return network(net) if isinstance(net, str) else net
