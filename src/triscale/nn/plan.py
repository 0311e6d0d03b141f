"""Which way each part of a model takes: plain data, because a training that goes on must take the same again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import nn

from triscale.errors import InputError
from triscale.nn import native, swap
from triscale.nn.depthwise import use
from triscale.nn.device import device_of
from triscale.nn.inner import use_inner

WAYS = {"convolutions": ("rewritten", "native"), "norms": ("native",), "blocks": ("inner",)}
"""The ways that are not torch's own."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The ways of a model's parts by the names of its modules; what is not named is torch's own.

    Attributes:
        convolutions: `rewritten` (plain torch) or `native` (compiled kernels) for depthwise convolutions.
        norms: `native` for batch norms that take over their activation.
        blocks: `inner` for MBConv whose inner layers are one compiled step.
        build: of the compiled kernels, where they are used; another one may give other last bits.
    """

    convolutions: Mapping[str, str] = field(default_factory=dict)
    norms: Mapping[str, str] = field(default_factory=dict)
    blocks: Mapping[str, str] = field(default_factory=dict)
    build: str | None = None

    def __post_init__(self) -> None:
        for kind, ways in WAYS.items():
            for name, way in getattr(self, kind).items():
                if way not in ways:
                    raise InputError(f"a plan has {way!r} for {name!r} among its {kind}; there is {', '.join(ways)}.")

    @property
    def compiled(self) -> bool:
        """Whether it needs the compiled kernels."""
        return bool(self.norms or self.blocks or "native" in self.convolutions.values())

    def to_json(self) -> dict[str, Any]:
        """Plain data, of which `from_json` makes the plan again."""
        return {key: dict(value) if isinstance(value, Mapping) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Plan":
        """What `to_json` gave.

        Raises:
            InputError: unknown keys or ways.
        """
        try:
            return cls(**data)
        except (TypeError, AttributeError) as error:
            raise InputError(f"this is no plan of a training's speed: {error}.") from None


def apply_plan(model: nn.Module, plan: Plan) -> None:
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


def kernels_everywhere(model: nn.Module) -> Plan:
    """The compiled kernels for every part that has them; an empty plan where there are none, or not on a CPU."""
    if device_of(model).type != "cpu" or not native.available():
        return Plan()
    return Plan(
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


def _known(plan: Plan, convolutions: list[str], norms: list[str], blocks: list[str]) -> None:
    named = ((plan.convolutions, convolutions), (plan.norms, norms), (plan.blocks, blocks))
    foreign = [name for ours, there in named for name in ours if name not in there]
    if foreign:
        raise InputError(f"the plan is another model's: it names {foreign[0]!r}, which cannot take its way here.")
