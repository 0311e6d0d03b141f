"""A profile of eager torch: hooks around every layer."""

from collections.abc import Callable
from itertools import groupby
from time import perf_counter_ns
from typing import TYPE_CHECKING

from triscale.costs import Target
from triscale.engines import Floats
from triscale.engines.torch_eager import TorchEngine, dtype_of, fresh_module
from triscale.latency.predictor.node_times import NodeTimes
from triscale.spec import Network, resolve

if TYPE_CHECKING:
    from torch import nn

Clock = dict[str, list[float]]


def profile_torch(
    engine: TorchEngine, network: Network, target: Target, images: Floats, runs: int
) -> tuple[NodeTimes, ...]:
    """Run a fresh module with a clock around each of its layers; sums between layers are not seen.

    Returns:
        The layers in the order of the data, named as nodes of a graph are.
    """
    found: Clock = {}
    module = fresh_module(network, 0, dtype_of(target))
    for path, name in _names(network, module).items():
        before, after = _hooks(found.setdefault(name, []))
        part = module.get_submodule(path)
        part.register_forward_pre_hook(before)
        part.register_forward_hook(after)
    opened = engine.open_module(module, target)
    for _ in range(runs):
        opened.run(images)
    return tuple(NodeTimes(name, "layer", tuple(times)) for name, times in found.items())


def _hooks(times: list[float]) -> tuple[Callable[..., None], Callable[..., None]]:
    begun = 0

    def before(*_: object) -> None:
        nonlocal begun
        begun = perf_counter_ns()

    def after(*_: object) -> None:
        times.append((perf_counter_ns() - begun) / 1e3)

    return before, after


def _names(network: Network, module: "nn.Module") -> dict[str, str]:
    """The module's layers: their path, and the name of a graph's node for each."""
    blocks = {
        {0: "stem", -1: ""}.get(stage, f"stages.{stage - 1}.{place}"): number
        for stage, run in groupby(enumerate(resolve(network).flat()), lambda one: one[1][0])
        for place, (number, _) in enumerate(run)
    }
    found: dict[str, str] = {}
    for path, part in module.named_modules():
        if _is_layer(part) and "squeeze_excite" not in path.split(".")[:-1]:
            owner = next((one for one in blocks if one and f"{path}.".startswith(f"{one}.")), "")
            words = path.removeprefix(f"{owner}.").split(".")
            found[path] = f"{blocks[owner]}.{_role(owner, words)}.{words[-1]}_{len(found)}"
    return found


_ACTIVATIONS = ("ReLU", "ReLU6", "SiLU", "Hardswish", "Sigmoid", "Hardsigmoid")


def _is_layer(part: "nn.Module") -> bool:
    """Squeeze-excite counts as one: its mean and product are not modules."""
    kind = type(part).__name__
    return kind in (*_ACTIVATIONS, "SqueezeExcite") or (not list(part.children()) and bool(list(part.parameters())))


def _role(owner: str, words: list[str]) -> str:
    """The role of a layer, by the words of its path inside of its block."""
    if owner == "stem":
        return f"deep{int(words[1]) + 1}" if words[0] == "deep" else "conv"
    if not owner:
        return "conv" if words[0] == "head" else "classifier"
    if words == ["activation"]:
        return "skip"
    return "squeeze" if words[0] == "squeeze_excite" else words[0]
