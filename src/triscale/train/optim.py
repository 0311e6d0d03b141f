"""Optimizers: RMSProp as TensorFlow does it, and which weights decay."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from triscale.nn import BatchNorm
from triscale.recipes import Recipe


class RMSPropTF(torch.optim.Optimizer):
    """RMSProp as TensorFlow does it, which the paper's networks were trained with; torch's own differs in three places.

    eps stands inside the square root, the mean square starts at 1, and the learning rate enters the momentum, so that a
    falling rate acts on new gradients alone. Weight decay is added to the gradient, as that of half a sum of squares.

        mean_square += (1 - decay) * (gradient^2 - mean_square)
        velocity = momentum * velocity + rate * gradient / sqrt(mean_square + eps)
        weight -= velocity
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float,
        *,
        decay: float = 0.9,
        momentum: float = 0.9,
        eps: float = 1e-3,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "decay": decay, "momentum": momentum, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step for every parameter that has a gradient."""
        del closure
        for group in self.param_groups:
            parameters = [one for one in group["params"] if one.grad is not None]
            if parameters:
                _step(parameters, [self._state(one) for one in parameters], group)

    def _state(self, parameter: Tensor) -> tuple[Tensor, Tensor]:
        state = self.state[parameter]
        if not state:
            state["mean_square"] = torch.ones_like(parameter)
            state["velocity"] = torch.zeros_like(parameter)
        return state["mean_square"], state["velocity"]


def _step(parameters: list[Tensor], states: list[tuple[Tensor, Tensor]], group: dict[str, Any]) -> None:
    """Whole lists at a time, as torch's own optimizers do: a network has hundreds of small tensors."""
    gradients = [one.grad for one in parameters if one.grad is not None]
    if group["weight_decay"]:
        gradients = list(torch._foreach_add(gradients, parameters, alpha=group["weight_decay"]))  # noqa: SLF001
    squares, velocities = [one for one, _ in states], [one for _, one in states]
    torch._foreach_lerp_(squares, torch._foreach_mul(gradients, gradients), 1 - group["decay"])  # noqa: SLF001
    roots = torch._foreach_sqrt(torch._foreach_add(squares, group["eps"]))  # noqa: SLF001
    torch._foreach_mul_(velocities, group["momentum"])
    torch._foreach_addcdiv_(velocities, gradients, roots, group["lr"])
    torch._foreach_sub_(parameters, velocities)


def make_optimizer(model: nn.Module, recipe: Recipe, whole: nn.Module | None = None) -> torch.optim.Optimizer:
    """The recipe's optimizer for the weights that are trained: a group for each rate, and for what does not decay.

    A group's `scale` is the factor of its learning rate. `whole`: what the model is a piece of, under the same names.
    """
    weights = dict(model.named_parameters())
    groups = [
        {
            "params": [weights[name] for name in names],
            "weight_decay": 0.0 if spare else recipe.weight_decay,
            "scale": scale,
        }
        for (scale, spare), names in _groups(model, recipe, whole or model).items()
    ]
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.peak_rate, fused=True)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.peak_rate, momentum=0.9, nesterov=True)
    return RMSPropTF(groups, lr=recipe.peak_rate)


def names_in_order(model: nn.Module, recipe: Recipe, whole: nn.Module | None = None) -> list[str]:
    """Names of the weights of a model as its optimizer counts them."""
    return [name for names in _groups(model, recipe, whole or model).values() for name in names]


def _groups(model: nn.Module, recipe: Recipe, whole: nn.Module) -> dict[tuple[float, bool], list[str]]:
    """Names of weights by the factor of their rate, and by whether they do not decay; some groups may be empty."""
    spared = {id(one) for one in _spared(model, recipe)}
    everywhere = [name for name, one in whole.named_parameters() if one.requires_grad]
    scales = dict(zip(everywhere, _scales(everywhere, recipe), strict=True))
    trained = {name: id(one) in spared for name, one in model.named_parameters() if one.requires_grad}
    return {
        (scale, spare): [name for name, one in trained.items() if scales[name] == scale and one == spare]
        for scale in sorted(set(scales.values()))
        for spare in (False, True)
    }


def _scales(names: Sequence[str], recipe: Recipe) -> list[float]:
    """For each weight the factor of its rate: `layer_decay` to the number of parts from its own to the classifier.

    Parts are the stem, each stage, the head and the classifier, or the first names of a foreign model.
    """
    parts = [".".join(name.split(".")[: 2 if name.startswith("stages.") else 1]) for name in names]
    order = {part: index for index, part in enumerate(dict.fromkeys(parts))}
    return [recipe.layer_decay ** (len(order) - 1 - order[part]) for part in parts]


def _spared(model: nn.Module, recipe: Recipe) -> list[nn.Parameter]:
    """What does not decay: norms and all biases, or norms alone (the paper's `batch_normalization not in name`)."""
    if recipe.decayed == "weights":
        return [one for one in model.parameters() if one.ndim <= 1]
    return [one for part in model.modules() if isinstance(part, BatchNorm) for one in part.parameters()]


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every parameter group the learning rate, times its `scale`."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("scale", 1.0)
