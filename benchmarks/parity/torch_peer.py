"""A peer from torchvision or timm: built, given random weights, and asked."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from benchmarks.parity import measure, pictures
from benchmarks.parity.reference import Plan, Reference, Step

_RATES = {"Dropout": ("p",), "StochasticDepth": ("p", "rate"), "DropPath": ("drop_prob",)}
"""Class of a module, in torch, torchvision, timm or here -> its rates of dropping; timm's other rates begin at 0."""


def create(peer: str, model: str) -> nn.Module:
    """The peer's model by its name there, with fresh weights and without dropout and stochastic depth."""
    if peer == "timm":
        import timm

        created: nn.Module = timm.create_model(model)
    else:
        import torchvision

        maker: Callable[[], nn.Module] = getattr(torchvision.models, model)
        created = maker()
    return without_drops(created)


def without_drops(model: nn.Module) -> nn.Module:
    """The same module with every rate of dropping at 0, so that two training steps can be compared."""
    for module in model.modules():
        for attribute in _RATES.get(type(module).__name__, ()):
            setattr(module, attribute, 0.0)
    return model


def randomise(model: nn.Module, seed: int) -> None:
    """Scales, shifts and biases away from 1 and 0, running statistics of a real batch: a swapped one shows.

    The last bias centres the logits, so that different pictures get different answers.
    """
    generator = torch.Generator().manual_seed(seed)
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.5, 1.5, generator=generator)
        nn.init.normal_(norm.bias, 0, 0.2, generator=generator)
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.normal_(module.bias, 0, 0.2, generator=generator)
    shown = torch.from_numpy(pictures.calibrating())
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        model.train()(shown)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    classifier = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    with torch.no_grad():
        classifier.bias.sub_(measure.logits_of(model, shown).mean(0))


def _step(model: nn.Module, plan: Plan, classes: int) -> Step:
    shown, labels = pictures.trained(classes, plan.trained)
    dtype = torch.float64 if plan.double else torch.float32
    model.to(dtype)
    logits, loss = measure.loss_of(model, torch.from_numpy(shown).to(dtype), torch.from_numpy(labels))
    loss.backward()  # type: ignore[no-untyped-call]
    gradients: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        gradients[name] = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        parameter.grad = None
    statistics = {name: buffer for name, buffer in model.named_buffers() if "running" in name}
    return Step(logits=logits, gradients=gradients, statistics=statistics)


def asking(peer: str) -> Callable[[str, Plan], Reference]:
    """`reference` of that library."""
    return partial(reference, peer)


def reference(peer: str, model: str, plan: Plan, seed: int = 0) -> Reference:
    """Everything the ledger wants to know of a peer; it is gone afterwards, and so is its memory."""
    torch.manual_seed(seed)
    theirs = create(peer, model)
    randomise(theirs, seed)
    # A step changes the running statistics alone: of the weights, which may fill gigabytes, no copy is made.
    kept = {name for name, _ in theirs.named_parameters()}
    weights = {name: t if name in kept else t.clone() for name, t in theirs.state_dict().items()}
    logits = measure.evaluate(theirs, plan)
    step = _step(theirs, plan, logits[0].shape[1])
    counted = measure.counted(theirs.eval().to("meta"), plan.native)
    return Reference(weights=weights, logits=logits, step=step, counted=counted)
