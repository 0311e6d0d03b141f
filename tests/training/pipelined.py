"""What each process of `tests/training/test_pipeline.py` runs: `torchrun -m tests.training.pipelined OUT CASE...`.

One step as a pipeline, then in the first process the same step alone; what differs is written to OUT.
"""

import gc
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from triscale.costs.sections import PipelineSchedule, cut, pipeline_memory
from triscale.families import network
from triscale.families.amoebanet import amoebanet
from triscale.nn import Model, build
from triscale.nn.fast.scratch import allocator_peak
from triscale.spec import Network
from triscale.training import Pipelined, PipelineTrainer, Recipe, Trainer, here, joined
from triscale.training.learning.class_weights import balanced
from triscale.training.saved import tensors_of

CPU = torch.device("cpu")


def quiet(of: Network, side: int) -> Network:
    """Without anything drawn at random, since every process draws its own."""
    return replace(of, resolution=(side, side), stochastic_depth=0.0, head=replace(of.head, dropout=0.0))


AMOEBANET = quiet(amoebanet("small", cells=1, filters=32, side=65, classes=10), 65)
CASES: dict[str, tuple[Network, int, int, PipelineSchedule, dict[str, Any]]] = {
    "amoebanet": (AMOEBANET, 8, 4, "1f1b", {"checkpointing": True}),
    "amoebanet, gpipe": (AMOEBANET, 8, 4, "gpipe", {}),
    "mixed": (
        quiet(network("smallnet_32"), 33),
        16,
        2,
        "1f1b",
        {"mixup": 0.2, "cutmix": 1.0, "clip": 0.1, "class_weights": "balanced"},
    ),
    "bfloat16": (quiet(network("smallnet_32"), 33), 16, 4, "1f1b", {"precision": "bfloat16"}),
    "b7": (quiet(network("efficientnet_b7"), 64), 4, 2, "gpipe", {}),
    "memory, gpipe": (quiet(network("efficientnet_b0"), 64), 16, 4, "gpipe", {}),
    "memory, 1f1b": (quiet(network("efficientnet_b0"), 64), 16, 4, "1f1b", {}),
    "memory, checkpointing": (quiet(network("efficientnet_b0"), 64), 16, 4, "gpipe", {"checkpointing": True}),
    "memory, cells": (AMOEBANET, 8, 4, "gpipe", {}),
}
"""Network, batch, micro-batches, schedule, and what the recipe has besides."""


def parted(more: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """What of it is the recipe's, and whether blocks compute their maps again."""
    return {name: one for name, one in more.items() if name != "checkpointing"}, more.get("checkpointing", False)


def batch_for(of: Network, count: int) -> tuple[Tensor, Tensor]:
    """Random images of random classes."""
    torch.manual_seed(1)
    return torch.randn(count, 3, *of.resolution), torch.randint(of.classes, (count,))


def model_for(of: Network, layout: torch.memory_format) -> Model:
    """The same in every process."""
    torch.manual_seed(0)
    return build(of).to(memory_format=layout)


def compared(name: str, world: Pipelined) -> dict[str, Any]:
    """The largest differences between a step of a pipeline and one of a single process."""
    of, count, parts, schedule, more = CASES[name]
    world = replace(world, microbatches=parts, schedule=schedule)
    options, again = parted(more)
    recipe = Recipe(batch=count, ema=0.9, layer_decay=0.9, **options)
    pictures, labels = batch_for(of, count)
    weights = balanced(labels.numpy(), of.classes) if recipe.class_weights == "balanced" else None
    model = model_for(of, torch.channels_last)
    engine = PipelineTrainer(
        model, recipe, 10, seed=0, world=world, device=CPU, class_weights=weights, checkpointing=again
    )
    engine.learn(pictures, labels)
    gradients = engine.gathered({n: p.grad for n, p in engine.model.named_parameters() if p.grad is not None})
    logits = engine.evaluated.eval()(pictures)
    engine.learn(pictures, labels)
    tensors = engine.gathered(tensors_of(engine))
    back = engine.taken(tensors) if world.first else {}
    if not world.first:
        return {}
    alone = Trainer(model_for(of, torch.channels_last), recipe, 10, seed=0, class_weights=weights, checkpointing=again)
    alone.parts = parts
    alone.learn(pictures, labels)
    expected = {n: p.grad for n, p in alone.model.named_parameters() if p.grad is not None}
    found: dict[str, Any] = {
        "weights": len(gradients),
        "same names": sorted(gradients) == sorted(expected),
        "gradient": max(differing(gradients[n], one) for n, one in expected.items()),
        "logits": differing(logits, alone.evaluated.eval()(pictures)),
    }
    alone.learn(pictures, labels)
    states = tensors_of(alone)
    return found | {
        "norm": [engine.norm, alone.norm],
        "loss": [engine.mean_loss, alone.mean_loss],
        "same state": sorted(states) == sorted(tensors),
        "state": max(differing(tensors[n], one) for n, one in states.items()),
        "own back": sorted(back) == sorted(tensors_of(engine)),
    }


def differing(found: Tensor, expected: Tensor) -> float:
    """The norm of the difference over the norm."""
    difference = (found.double() - expected.double()).norm().item()
    return difference / max(expected.double().norm().item(), 1e-12) if difference else 0.0


def measured(name: str, world: Pipelined) -> dict[str, Any]:
    """The peak of the allocator in this process and what is forecast for it."""
    of, count, parts, schedule, more = CASES[name]
    world = replace(world, microbatches=parts, schedule=schedule)

    options, again = parted(more)

    def steps() -> None:
        recipe = Recipe(batch=count, **options)
        model = model_for(of, torch.contiguous_format)
        engine = PipelineTrainer(model, recipe, 10, seed=0, world=world, device=CPU, checkpointing=again)
        del model
        pictures, labels = batch_for(of, count)
        if not world.first:
            pictures = pictures.to("meta")  # nobody needs them there
        for _ in range(2):
            engine.learn(pictures, labels)

    gc.collect()  # what dies while it is measured would count
    peak = allocator_peak(steps)
    forecast = pipeline_memory(
        of, cut(of, world.size), count, parts, schedule=schedule, optimizer="adamw", recompute=again, **options
    )
    peaks: list[Any] = [None] * world.size
    dist.all_gather_object(peaks, peak)
    return {"peaks": peaks, "forecast": forecast}


def main() -> None:
    """Every case in turn."""
    out, *names = sys.argv[1:]
    torch.set_num_threads(1)
    one = here()
    world = Pipelined(one.rank, one.size, one.local_rank)
    with joined(world, CPU):
        found = {name: (measured if name.startswith("memory") else compared)(name, world) for name in names}
    if world.first:
        Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
