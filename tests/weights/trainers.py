"""Weights as trainers save them: what each puts around a network's state dict, as data for `test_trainers`."""

import argparse
import datetime as dt
import pathlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

State = Mapping[str, Tensor]


class Case(NamedTuple):
    """A file: how it is made from raw and averaged weights, which of them must answer, and the notes about it."""

    made: Callable[[State, State], object]
    takes: str = "raw"
    said: tuple[str, ...] = ()


def prefixed(prefix: str, state: State) -> dict[str, Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def bare(state: State) -> dict[str, Tensor]:
    """Without the classifier."""
    return {name: tensor for name, tensor in state.items() if not name.startswith("classifier.")}


def head(state: State, layer: str) -> dict[str, Tensor]:
    """The classifier, under another name."""
    return {f"{layer}.{field}": state[f"classifier.{field}"] for field in ("weight", "bias")}


def halved(state: State, kind: torch.dtype) -> dict[str, Tensor]:
    return {name: tensor.to(kind) if tensor.is_floating_point() else tensor for name, tensor in state.items()}


OPTIMIZER = {"state": {0: {"exp_avg": torch.ones(3), "step": torch.tensor(2.0)}}, "param_groups": [{"lr": 0.1}]}

OBJECTS = {
    "args": argparse.Namespace(model="x", out=pathlib.Path("out"), since=dt.datetime(2026, 1, 1)),
    "best": np.float64(71.5),
    "curve": np.arange(3.0),
    "when": dt.timedelta(seconds=3),
    "counts": defaultdict(list, a=[1]),
    "device": torch.device("cpu"),
    "dtype": torch.float32,
    "size": torch.Size([1, 2]),
    "history": OrderedDict(a=1),
}

CASES = {
    "DataParallel": Case(lambda raw, _: prefixed("module.", raw), said=("removed the prefix module.",)),
    "torch.compile": Case(lambda raw, _: prefixed("_orig_mod.", raw), said=("removed the prefix _orig_mod.",)),
    "DDP over compile": Case(lambda raw, _: {"state_dict": prefixed("module._orig_mod.", raw)},
                             said=("removed the prefix module._orig_mod.",)),
    "compile over DDP": Case(lambda raw, _: {"model": prefixed("_orig_mod.module.", raw)}),
    "Lightning": Case(lambda raw, _: {"pytorch-lightning_version": "2.4.0", "state_dict": prefixed("model.", raw),
                                      "hyper_parameters": {"lr": 1e-3}, "optimizer_states": [OPTIMIZER]}),
    "Lightning with a loss": Case(
        lambda raw, _: {"state_dict": {**prefixed("net.", raw), "criterion.weight": torch.ones(2)}},
        said=("removed the prefix net.", "left out criterion.weight"),
    ),
    "Lightning with an average": Case(
        lambda raw, ema: {"state_dict": prefixed("model.", raw) | prefixed("ema_model.", ema)}, "average",
        said=("took state_dict.ema_model, the average of the weights, not state_dict.model",),
    ),
    "mmpretrain": Case(lambda raw, _: {"state_dict": prefixed("backbone.", bare(raw)) | head(raw, "head.fc")},
                       said=("removed the prefix backbone.", "the classifier is head.fc.weight")),
    "a classifier in a Sequential": Case(lambda raw, _: bare(raw) | head(raw, "classifier.1"),
                                         said=("the classifier is classifier.1.weight",)),
    "timm's train script": Case(
        lambda raw, ema: {"arch": "mnasnet_small", "state_dict": raw, "state_dict_ema": ema, "optimizer": OPTIMIZER},
        "average", said=("took state_dict_ema, the average of the weights, not state_dict",),
    ),
    "torchvision's reference script": Case(
        lambda raw, ema: {"model": raw, "optimizer": OPTIMIZER, "args": argparse.Namespace(lr=0.1),
                          "model_ema": prefixed("module.", ema) | {"n_averaged": torch.tensor(3)}},
        "average", said=("took model_ema.module, the average of the weights, not model", "argparse.Namespace"),
    ),
    "an average and its decay": Case(lambda raw, ema: {"model": raw, "ema": {"module": ema, "decay": 0.9}}, "average"),
    "ema_state_dict": Case(lambda raw, ema: {"state_dict": raw, "ema_state_dict": ema}, "average"),
    "student and teacher": Case(
        lambda raw, ema: {"student": prefixed("module.net.", raw), "teacher": prefixed("net.", ema)}, "average"
    ),
    "objects of all kinds": Case(lambda raw, _: {"state_dict": raw, **OBJECTS}, said=("did not read objects in it",)),
    "a defaultdict": Case(lambda raw, _: defaultdict(dict, {"state_dict": raw})),
    "no counters": Case(lambda raw, _: {n: t for n, t in raw.items() if "num_batches_tracked" not in n}),
    "a profiler's counts": Case(lambda raw, _: {**raw, "total_ops": torch.zeros(1), "bn1.total_ops": torch.zeros(1)}),
    "doubles": Case(lambda raw, _: halved(raw, torch.float64)),
    "a dict in itself": Case(lambda raw, _: looped({"state_dict": raw})),
}  # fmt: skip


def looped(found: dict[str, Any]) -> dict[str, Any]:
    found["self"] = found
    return found


WITHOUT_ANSWER = {
    "num_classes=0": Case(lambda raw, _: bare(raw), said=("it holds no classifier",)),
    "two layers of one's own": Case(
        lambda raw, _: bare(raw) | {"classifier.0.weight": torch.ones(4, 1280), "classifier.0.bias": torch.ones(4),
                                    "classifier.2.weight": torch.ones(2, 4), "classifier.2.bias": torch.ones(2)},
        said=("layers of its own",),
    ),
    "fastai": Case(
        lambda raw, _: {"model": prefixed("0.model.", bare(raw)) | {"1.2.weight": torch.ones(2560),
                        "1.4.weight": torch.ones(8, 2560), "1.8.weight": torch.ones(2, 8)}, "opt": {"hypers": []}},
        said=("layers of its own",),
    ),
    "a layer behind the classifier": Case(
        lambda raw, _: prefixed("0.", raw) | {"1.weight": torch.ones(3, 2), "1.bias": torch.ones(3)},
        said=("behind its classifier stand further layers",),
    ),
    "a single output": Case(
        lambda raw, _: {**raw, "classifier.weight": raw["classifier.weight"][:1], "classifier.bias": torch.ones(1)},
        said=("one output",),
    ),
}  # fmt: skip
"""Files that cannot answer, with the reason; a training can begin with them."""
