"""The Lite form of a network: what small integer runtimes do well, as the authors made Lite0-4 of B0-B4.

Squeeze-excite goes, since its gates cost integer accuracy and time; SiLU becomes ReLU6 or hard-swish, whose range is
bounded or cheap; stem, head and the outer stages are those of the baseline, since they are large in small networks
(`efficientnet_lite_builder.py`: `fix_head_stem`, and README: 'remove squeeze-and-excite', 'replace swish with RELU6').
"""

from dataclasses import replace
from typing import Literal, get_args

from triscale import families
from triscale.errors import UsageError
from triscale.spec import Network, Stage, fix_stem_and_head

LiteActivation = Literal["relu6", "hard_swish"]


def lite_form(network: Network, *, activation: str = "relu6", baseline: Network | None = None) -> Network:
    """The network without squeeze-excite, with another activation, and with the stem and head of its baseline.

    The first and the last stage have as many blocks as the baseline's. A registered member at its own resolution gets
    that of the authors' Lite member (300 px for B4's 380).

    Args:
        network: any of triscale's own; it is not changed.
        activation: relu6 or hard_swish.
        baseline: what it was scaled from; by default what its name says, such as B0 of `efficientnet_b2` and
            `NAME` of `NAME@phi=1`, else the network itself.

    Raises:
        UsageError: another activation, a baseline of other stages, or a network of cells.
    """
    if activation not in get_args(LiteActivation):
        raise UsageError(f"there is no Lite form with {activation!r}: give relu6 or hard_swish.")
    if any(stage.cell for stage in network.stages):
        raise UsageError(f"{network.name} is made of cells, which have no Lite form.")
    base = _baseline(network) if baseline is None else baseline
    if not _alike(network, base):
        raise UsageError(f"{network.name} was not scaled from {base.name}: they have other stages.")
    ends = {0: base.stages[0].repeats, len(base.stages) - 1: base.stages[-1].repeats}
    stages = tuple(_plain(stage, ends.get(index, stage.repeats)) for index, stage in enumerate(network.stages))
    head = replace(network.head, channels=base.head.channels, hidden=base.head.hidden)
    made = replace(network, stem=base.stem, stages=stages, head=head, activation=activation)  # type: ignore[arg-type]
    return fix_stem_and_head(replace(made, name=f"{network.name}@lite", resolution=_resolution(network)))


def _plain(stage: Stage, repeats: int) -> Stage:
    return replace(stage, squeeze_excite=None, activation=None, repeats=repeats)


def _baseline(network: Network) -> Network:
    """What the name says that it was scaled from, where the stages agree; else the network itself."""
    family, _, member = network.name.partition("@")[0].rpartition("_b")
    name = f"{family}_b0" if member.isdecimal() else network.name.partition("@")[0]
    found = families.registry().get(name)
    return found[1] if found and _alike(network, found[1]) else network


def _alike(network: Network, base: Network) -> bool:
    """Whether one can be a scaling of the other."""
    ours, theirs = (
        [(one.operator, one.kernel, one.stride, one.expand, one.expand_of) for one in each.stages]
        for each in (network, base)
    )
    return ours == theirs


def _resolution(network: Network) -> tuple[int, int]:
    own = families.registry().get(network.name)
    twin = families.registry().get(network.name.replace("_b", "_lite"))
    published = own and twin and network.resolution == own[1].resolution
    return twin[1].resolution if published and twin else network.resolution
