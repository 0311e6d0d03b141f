"""Tables of trained networks, as search spaces of ours: what a search would have found, without a training.

`macro` is NAS-Bench-Macro (Su et al., CVPR 2021, arXiv 2103.11922): every network of a small space, trained three times
on CIFAR-10. `accel` is Accel-NASBench (arXiv 2404.08005): some thousand networks of EfficientNet's space, trained once
on ImageNet. Params of both are ours to the unit, and so are the MACs of `macro`; those of `accel` are
`operations_as_thop`.
"""

import csv
import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from triscale.costs import count_resolved
from triscale.search.architecture import Space, Value, read_space
from triscale.spec import Head, Network, Stage, Stem, resolve

ACCEL_FILE, MACRO_FILE = "accel_nasbench.csv.gz", "nas_bench_macro.csv.gz"


class Row(NamedTuple):
    """A trained network: what was chosen, top-1 accuracies in percent (one a seed), params and MACs as printed."""

    code: str
    chosen: Mapping[str, Value]
    accuracies: tuple[float, ...]
    params: int
    macs: int


@dataclass(frozen=True)
class Table:
    """Trained networks of a space. Several rows may have the same choices, or choices that give the same network."""

    space: Space
    rows: tuple[Row, ...]

    @property
    def choices(self) -> Mapping[str, tuple[Value, ...]]:
        """Name of a choice -> its values."""
        return self.space.choices


def macro(folder: Path) -> Table:
    """NAS-Bench-Macro from a folder with its file: all 6,561 combinations, of 3,969 distinct networks."""
    space = macro_space()
    words = [part.values for part in space.parts]
    names = [part.name for part in space.parts]
    return Table(
        space,
        tuple(
            Row(
                one["architecture"],
                {name: of[int(digit)] for name, of, digit in zip(names, words, one["architecture"], strict=True)},
                tuple(float(one[f"test_top1_{seed}"]) for seed in "abc"),
                int(one["params"]),
                int(one["macs"]),
            )
            for one in _lines(folder / MACRO_FILE)
        ),
    )


def accel(folder: Path) -> Table:
    """Accel-NASBench from a folder with its file: 5,138 rows, of 5,125 distinct networks."""
    return Table(
        accel_space(),
        tuple(
            Row(
                one["architecture"],
                accel_choices(one["architecture"]),
                (float(one["val_top1"]),),
                int(one["params"]),
                int(one["macs"]),
            )
            for one in _lines(folder / ACCEL_FILE)
        ),
    )


def _lines(file: Path) -> Iterator[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


# --- NAS-Bench-Macro

_LAYERS = ((64, 2), (64, 1), (128, 2), (128, 1), (128, 1), (256, 2), (256, 1), (256, 1))
"""Channels and stride of each layer."""


def macro_space() -> Space:
    """Eight layers, each of them nothing or one of two inverted residuals.

    A digit of the table's codes is the place of a value. Where there is a stride, "nothing" is a 1x1 convolution with
    norm; a spec has no such stage without activation, so that ours has one ReLU more, which costs nothing counted.
    """
    base = Network(
        name="nas_bench_macro",
        resolution=(32, 32),
        stem=Stem(channels=32, stride=1),
        stages=tuple(Stage(operator="mbconv", expand=3, channels=c, stride=s, repeats=1) for c, s in _LAYERS),
        head=Head(channels=1280),
        activation="relu",
        padding="symmetric",
        classes=10,
    )
    blocks = ["k3_e3", "k5_e6"]
    document = {
        "format": "triscale.space",
        "version": 1,
        "name": "macro",
        "operators": {
            "nothing": None,
            "conv_1x1": {"operator": "fused_mbconv", "kernel": 1, "expand": 1},
            "k3_e3": {"operator": "mbconv", "kernel": 3, "expand": 3},
            "k5_e6": {"operator": "mbconv", "kernel": 5, "expand": 6},
        },
        "every_stage": {"operator": ["nothing", *blocks]},
        "stages": [
            {"stage": number, "operator": ["conv_1x1", *blocks]}
            for number, (_, stride) in enumerate(_LAYERS, 1)
            if stride == 2
        ],
    }
    return read_space(document, base)


# --- Accel-NASBench

_STAGES = ((16, 1), (24, 2), (40, 2), (80, 2), (112, 1), (192, 2), (320, 1))
"""Channels and stride of each stage: those of EfficientNet-B0, which is in the space."""
_STAGE_CODE = re.compile(r"e(?P<expand>\d)k(?P<kernel>\d)l(?P<layers>\d)s(?P<squeeze>\d)")


def accel_space() -> Space:
    """Seven stages, each with an expand ratio, a kernel, 1 to 4 blocks, and squeeze-excite or not."""
    base = Network(
        name="accel_nasbench",
        resolution=(224, 224),
        stem=Stem(channels=32),
        stages=tuple(Stage(operator="mbconv", channels=c, stride=s, repeats=1) for c, s in _STAGES),
        head=Head(channels=1280, dropout=0.2),
    )
    document = {
        "format": "triscale.space",
        "version": 1,
        "name": "accel",
        "every_stage": {
            "kernel": [3, 5],
            "expand": [1, 4, 6],
            "squeeze_excite": [0, 0.25],
            "repeats": [1, 2, 3, 4],
        },
    }
    return read_space(document, base)


def accel_choices(code: str) -> dict[str, Value]:
    """The choices of a code such as `e1k3l1s0;e6k5l2s1;..`."""
    chosen = dict[str, Value]()
    for number, text in enumerate(code.split(";"), 1):
        found = _STAGE_CODE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no stage of Accel-NASBench")
        chosen |= {
            f"stage{number}.kernel": int(found["kernel"]),
            f"stage{number}.expand": float(found["expand"]),
            f"stage{number}.squeeze_excite": 0.25 * int(found["squeeze"]),
            f"stage{number}.repeats": int(found["layers"]),
        }
    return chosen


def operations_as_thop(network: Network) -> int:
    """What the counter `thop` says of a network, and Accel-NASBench prints as its MACs.

    MACs of convolutions and linear layers as ours, plus 4 for each element that leaves a batch norm, plus, for each
    channel of an average pooling (that of squeeze-excite, and the last one), its pixels and one. Activations, the
    product of squeeze-excite, sums with a skip and biases count nothing.
    """
    resolved = resolve(network)
    extra = 0
    for block, repeats, _ in resolved.runs:
        pixels = block.output[0] * block.output[1]
        for layer in block.layers:
            normed = layer.out_channels * layer.output[0] * layer.output[1] if layer.norm else 0
            pooled = layer.in_channels * (pixels + 1) if layer.role == "squeeze" else 0
            extra += repeats * (4 * normed + pooled)
    head = resolved.runs[-1].block
    return count_resolved(resolved).macs + extra + head.inner_channels * (head.input[0] * head.input[1] + 1)
