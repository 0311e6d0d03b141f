"""Which way each part of a model takes: plain data, because a resumed training must take the same again."""

from torch import nn

from triscale.errors import InputError
from triscale.nn.device import device_of
from triscale.nn.fast import native, swap
from triscale.nn.fast.depthwise import use
from triscale.nn.fast.inner_mbconv import use_inner
from triscale.speed_plan import SpeedPlan


def apply_plan(model: nn.Module, plan: SpeedPlan) -> None:
    """Let a model's parts take the ways of a plan, and all others torch's own; parameters and their names stay.

    An empty plan makes a model what it was.

    Raises:
        InputError: the plan needs compiled kernels and there are none here, or it names what the model does not have.
    """
    if plan.compiled and (why := native.missing()):
        raise InputError(f"the plan needs compiled kernels, but {why}.\nInstall g++, or begin without this plan.")
    for name in swap.blocks(model):
        use_inner(swap.block(model, name), fused=False)
    pairs = {pair.norm: pair for pair in swap.pairs(model)}
    _known(plan, swap.convolutions(model), list(pairs), swap.blocks(model))
    for name in swap.convolutions(model):
        use(model.get_submodule(name), plan.convolutions.get(name, "stock"))  # type: ignore[arg-type]
    for name, pair in pairs.items():
        (swap.join if name in plan.norms else swap.part)(model, pair)
    for name in plan.blocks:
        use_inner(swap.block(model, name), fused=True)


def kernels_everywhere(model: nn.Module) -> SpeedPlan:
    """The compiled kernels for every part that has them; an empty plan where there are none, or not on a CPU."""
    if device_of(model).type != "cpu" or not native.available():
        return SpeedPlan()
    return SpeedPlan(
        convolutions=dict.fromkeys(swap.convolutions(model), "native"),
        norms={pair.norm: "native" for pair in swap.pairs(model)},
        blocks=dict.fromkeys(swap.blocks(model), "inner"),
        build=native.build_digest(),
    )


def kernels_missing(model: nn.Module) -> str | None:
    """Why a model on a CPU has no compiled kernels though they are wanted; None where it has, or needs none."""
    if device_of(model).type != "cpu" or native.unwanted() or not (swap.convolutions(model) or swap.pairs(model)):
        return None
    return native.missing()


def _known(plan: SpeedPlan, convolutions: list[str], norms: list[str], blocks: list[str]) -> None:
    named = ((plan.convolutions, convolutions), (plan.norms, norms), (plan.blocks, blocks))
    foreign = [name for ours, there in named for name in ours if name not in there]
    if foreign:
        raise InputError(f"the plan is another model's: it names {foreign[0]!r}, which cannot take its way here.")
