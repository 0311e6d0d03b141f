"""Ours beside a reference, with the reference's weights: what differs, as numbers."""

import math
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from benchmarks.parity import measure, pictures
from benchmarks.parity.plans import limits
from benchmarks.parity.reference import Counted, Plan, Reference, Step
from triscale.costs import count
from triscale.nn import Model, build
from triscale.spec import Network
from triscale.weights.match.mapping import Entry, from_peer, table

LEAST = 1e-3
"""Of the network's largest gradient: a tensor whose own are smaller is compared with this share of it. A norm's shift
in front of a convolution and another norm has no gradient but rounding."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One row's figures; differences are relative, the largest of all.

    Attributes:
        params, macs: ours, at the native resolution.
        counts_equal: the peer's are the same, to the unit.
        layers: convolutions and linear layers.
        shapes_equal: each has the peer's output shape, in the same order.
        logits: difference in evaluation mode over the largest logit of the same size of picture.
        pictures, agreed, answers: shown, with the peer's top-1, different classes among those.
        double: whether the training step was in float64.
        step: difference of the logits in training mode over the largest.
        gradients: difference over the largest gradient of the same tensor.
        statistics: difference of the running statistics after the step over the largest of the same tensor.
    """

    params: int
    macs: int
    counts_equal: bool
    layers: int
    shapes_equal: bool
    logits: float
    pictures: int
    agreed: int
    answers: int
    double: bool
    step: float
    gradients: float
    statistics: float

    def faults(self) -> list[str]:
        """What does not hold, in words; empty where everything does."""
        most = limits(double=self.double)
        exact = {
            "params or MACs": self.counts_equal,
            "shapes": self.shapes_equal,
            "top-1": self.agreed == self.pictures,
        }
        return [
            *(f"{what} differ" for what, equal in exact.items() if not equal),
            *(f"{what} differ by {found:.1e}" for what in most if not (found := getattr(self, what)) <= most[what]),
        ]


def compare(of: Network, peer: str, reference: Reference, plan: Plan) -> Verdict:
    """Everything about a row; the reference's weights are used up.

    Raises:
        InputError: a tensor of the peer has no place in our network, or ours has none of the peer's.
    """
    ours = load(of, peer, reference)
    found = measure.evaluate(ours, plan)
    pairs = list(zip(found, reference.logits, strict=True))
    answers = torch.cat([theirs.argmax(1) for _, theirs in pairs])
    agreed = torch.cat([mine.argmax(1) for mine, _ in pairs]) == answers
    step, gradients, statistics = _step(ours, table(of, peer), reference.step, plan)
    ours_counted, theirs_counted = _counted(of, plan), reference.counted
    return Verdict(
        params=ours_counted.params,
        macs=ours_counted.macs,
        counts_equal=(ours_counted.params, ours_counted.macs) == (theirs_counted.params, theirs_counted.macs),
        layers=len(ours_counted.shapes),
        shapes_equal=ours_counted.shapes == theirs_counted.shapes,
        logits=max(relative(mine, theirs) for mine, theirs in pairs),
        pictures=len(agreed),
        agreed=int(agreed.sum()),
        answers=len(set(answers.tolist())),
        double=plan.double,
        step=step,
        gradients=gradients,
        statistics=statistics,
    )


def load(of: Network, peer: str, reference: Reference) -> Model:
    """Our network without dropout and stochastic depth, with the reference's weights, which are given up."""
    with torch.device("meta"):
        ours = build(replace(of, stochastic_depth=0.0, head=replace(of.head, dropout=0.0)))
    weights = from_peer(reference.weights, of, peer)
    reference.weights.clear()
    ours.load_state_dict(weights, assign=True)
    return ours


def relative(ours: Tensor, theirs: Tensor, least: float = 0.0) -> float:
    """The largest difference over the largest of theirs, or over `least` where that is more; in float64."""
    largest = max(theirs.abs().max().item(), least)
    return (ours.double() - theirs.double()).abs().max().item() / largest


def _step(ours: Model, entries: tuple[Entry, ...], theirs: Step, plan: Plan) -> tuple[float, float, float]:
    """Differences of logits, gradients and running statistics after a step."""
    dtype = torch.float64 if plan.double else torch.float32
    worst = _watched(ours.to(dtype), entries, theirs)
    shown, labels = pictures.trained(ours.network.classes, plan.trained)
    logits, loss = measure.loss_of(ours, torch.from_numpy(shown).to(dtype), torch.from_numpy(labels))
    loss.backward()  # type: ignore[no-untyped-call]
    buffers = dict(ours.named_buffers())
    moved = [
        relative(buffers[entry.ours], entry.from_peer(theirs.statistics[entry.theirs]))
        for entry in entries
        if entry.theirs in theirs.statistics
    ]
    return relative(logits, theirs.logits), max(worst.values()), max(moved)


def _watched(ours: Model, entries: tuple[Entry, ...], theirs: Step) -> dict[str, float]:
    """Name -> difference of its gradient: infinite until the backward pass has brought it, which frees it at once."""
    by_name = {entry.ours: entry for entry in entries}
    least = LEAST * max(gradient.abs().max().item() for gradient in theirs.gradients.values())
    parameters = dict(ours.named_parameters())
    worst = dict.fromkeys(parameters, math.inf)

    def check(name: str, parameter: Tensor) -> None:
        entry, gradient = by_name[name], parameter.grad
        if gradient is not None:
            worst[name] = relative(gradient, entry.from_peer(theirs.gradients[entry.theirs]), least)
        parameter.grad = None

    for name, parameter in parameters.items():
        parameter.register_post_accumulate_grad_hook(partial(check, name))  # type: ignore[no-untyped-call]
    return worst


def _counted(of: Network, plan: Plan) -> Counted:
    """Ours: what `cost` says, and the shapes of the built module."""
    native = replace(of, resolution=plan.native)
    cost = count(native)
    with torch.device("meta"):
        shapes = measure.counted(build(native).eval(), plan.native).shapes
    return Counted(params=cost.params, macs=cost.macs, shapes=shapes)
