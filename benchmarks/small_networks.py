"""Whole training loops of study-sized networks, from stored pictures to weights: triscale beside a plain timm loop.

Run `python -m benchmarks.small_networks` from the root of the repository; it appends a record for each network. All
train the same network on the same number of pictures in memory, each augmented by a flip and a shift, with AdamW and
label smoothing. The plain loop is what a user of timm writes: torchvision's transforms on Pillow pictures in a
DataLoader, timm's model, loss, optimizer and scheduler. triscale's is that of `triscale study`. Subjects take turns;
speeds are those of all processes of a subject together, by the clock.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from benchmarks import harness
from benchmarks.remote import Prepared, Remote, together
from benchmarks.stepped import Stepped
from triscale.costs import count
from triscale.families import network
from triscale.spec import Network, Preprocessing
from triscale.speed_plan import SpeedPlan
from triscale.training import Recipe, numerics_here

NAME = "small_networks"
NETWORKS = ("shallownet_24", "smallnet_24", "smallnet_32", "smallnet_48", "smallnet_64")
PICTURES, BATCH, STEPS = 4_096, 64, 10
"""Pictures in memory, pictures a step, steps in a turn."""
SHIFT = 0.125
COLOURS = Preprocessing()


@dataclass(frozen=True)
class Subject:
    """A way of training: `processes` trainings side by side of so many `threads` each.

    `loaders` are processes of timm's DataLoader; `tuned` uses our kernels where they win.
    """

    library: Literal["timm", "triscale"]
    processes: int = 1
    threads: int = 1
    loaders: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"
    channels_last: bool = True
    compiled: bool = False
    tuned: bool = False

    def __str__(self) -> str:
        """Its name in the record."""
        words = [self.library, f"{self.processes} x {self.threads} thread{'s' * (self.threads > 1)}"]
        words += [f"{self.loaders} loaders"] if self.loaders else []
        words += [] if self.precision == "float32" else [self.precision]
        words += [] if self.channels_last else ["channels-first"]
        return ", ".join([*words, *(["compiled"] if self.compiled else []), *(["tuned"] if self.tuned else [])])


SUBJECTS = (
    Subject("timm"),
    Subject("timm", channels_last=False),
    Subject("timm", threads=2),
    Subject("timm", threads=2, channels_last=False),
    Subject("timm", threads=2, loaders=2),
    Subject("timm", loaders=1),
    Subject("timm", processes=2),
    Subject("triscale"),
    Subject("triscale", tuned=True),
    Subject("triscale", threads=2, tuned=True),
    Subject("triscale", processes=2),
    Subject("triscale", processes=2, tuned=True),
    Subject("triscale", processes=2, precision="bfloat16", tuned=True),
)
COMPILED = (Subject("timm", compiled=True), Subject("triscale", compiled=True))
Loop = Callable[[], None]


def stored(of: Network) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.int64]]]:
    """Pictures and labels, the same for all."""
    draws = np.random.default_rng(0)
    return draws.integers(0, 256, (PICTURES, *of.resolution, 3), np.uint8), draws.integers(0, of.classes, PICTURES)


def theirs(of: Network) -> nn.Module:
    """The network as timm builds it."""
    from timm.models._efficientnet_builder import decode_arch_def
    from timm.models.efficientnet import EfficientNet

    stages = [
        f"ir_r{one.repeats}_k{one.kernel}_s{one.stride}_e{one.expand:g}_c{one.channels}"
        + (f"_se{one.squeeze_excite.ratio}" if one.squeeze_excite else "")
        for one in of.stages
    ]
    model: nn.Module = EfficientNet(
        decode_arch_def([[one] for one in stages]),
        num_classes=of.classes,
        num_features=of.head.channels,
        stem_size=of.stem.channels,
        fix_stem=True,
        act_layer=nn.SiLU,
        norm_layer=partial(nn.BatchNorm2d, eps=of.norm.eps, momentum=of.norm.momentum),
        drop_rate=of.head.dropout,
        round_chs_fn=lambda channels, *_, **__: channels,
    )
    stem = model.get_submodule("conv_stem")
    stem.stride = (of.stem.stride, of.stem.stride)  # type: ignore[assignment]
    if sum(one.numel() for one in model.parameters()) != count(of).params:
        raise ValueError(f"timm's {of.name} is another network")
    return model


class Stored(torch.utils.data.Dataset[Any]):
    """Pillow pictures, transformed one by one."""

    def __init__(self, of: Network) -> None:
        from torchvision import transforms

        self.images, self.labels = stored(of)
        shift = round(SHIFT * of.resolution[0])
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(of.resolution, padding=shift, padding_mode="symmetric"),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(COLOURS.mean, COLOURS.std),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        from PIL import Image

        return self.transform(Image.fromarray(self.images[index])), int(self.labels[index])


def timm_loop(subject: Subject, of: Network) -> Loop:
    """Steps of a plain loop."""
    from timm.loss import LabelSmoothingCrossEntropy
    from timm.optim import create_optimizer_v2
    from timm.scheduler import CosineLRScheduler

    layout = torch.channels_last if subject.channels_last else torch.contiguous_format
    model = theirs(of).train().to(memory_format=layout)
    optimizer = create_optimizer_v2(model, opt="adamw", lr=8e-3, weight_decay=0.02)
    scheduler = CosineLRScheduler(optimizer, t_initial=1_000_000, warmup_t=1_000, t_in_epochs=False)
    loss_of = LabelSmoothingCrossEntropy(0.1)
    loader: torch.utils.data.DataLoader[Any] = torch.utils.data.DataLoader(
        Stored(of), BATCH, shuffle=True, drop_last=True, num_workers=subject.loaders,
        persistent_workers=subject.loaders > 0,
    )  # fmt: skip
    forward = torch.compile(model) if subject.compiled else model

    def forever() -> Iterator[None]:
        updates = 0
        while True:
            for pictures, labels in loader:
                optimizer.zero_grad()
                with torch.autocast("cpu", torch.bfloat16, enabled=subject.precision == "bfloat16"):
                    logits = forward(pictures.to(memory_format=layout))
                loss = loss_of(logits.float(), labels)
                loss.backward()
                optimizer.step()
                updates += 1
                scheduler.step_update(updates)
                loss.item()
                yield

    steps = forever()
    return lambda: next(steps)


def our_training(subject: Subject, of: Network) -> Stepped:
    """A training of `triscale study`, by `triscale.training.fit`; it has made its first step."""
    recipe = Recipe(
        epochs=10_000, batch=BATCH, shift=SHIFT, compile=subject.compiled, precision=subject.precision
    )  # fmt: skip
    numerics = numerics_here("cpu", subject.threads)
    return Stepped(of, recipe, numerics if subject.tuned else replace(numerics, plan=SpeedPlan()), *stored(of))


def prepare(subject: Subject, of: Network) -> Prepared:
    """A training in its process."""
    torch.set_num_threads(subject.threads)
    torch.manual_seed(0)
    plan = SpeedPlan()
    if subject.library == "timm":
        step = timm_loop(subject, of)
        step()

        def turn() -> None:
            for _ in range(STEPS):
                step()

    else:
        training = our_training(subject, of)
        plan, turn = training.plan, partial(training, STEPS)
    kinds = plan.to_dict()
    ways = {kind: dict(Counter(kinds[kind].values())) for kind in ("convolutions", "norms", "blocks")}
    return Prepared(turn, {"ways": ways})


def compare(name: str, subjects: tuple[Subject, ...], rounds: int) -> dict[str, object]:
    """The record of one network."""
    of = replace(network(name), classes=10)
    teams = {str(one): [Remote(prepare, one, of) for _ in range(one.processes)] for one in subjects}
    turns = {name: partial(together, team) for name, team in teams.items()}
    seconds = harness.interleave(turns, rounds=rounds, warmup=1)
    speeds = {name: len(teams[name]) * STEPS * BATCH / median(values) for name, values in seconds.items()}
    peers = [(one, speeds[str(one)]) for one in subjects if one.library == "timm"]
    best = {
        "one thread": max(speed for one, speed in peers if one.processes * (one.threads + one.loaders) == 1),
        "one training": max(speed for one, speed in peers if one.processes == 1),
        "all": max(speed for _, speed in peers),
    }
    facts = {name: team[0].facts for name, team in teams.items()}
    for team in teams.values():
        for one in team:
            one.end()
    return {
        **harness.provenance(NAME), "network": name, "resolution": list(of.resolution), "macs": count(of).macs,
        "batch": BATCH, "n": rounds, "images_per_second": speeds, "best_timm": best, "facts": facts,
        "seconds": seconds, "versions": {"torch": torch.__version__, "timm": _timm()},
    }  # fmt: skip


def main() -> None:
    """Measure, print and record, one network after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", nargs="+", default=NETWORKS)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--compiled", action="store_true", help="torch.compile too, whose start takes minutes")
    parser.add_argument("--dry", action="store_true", help="print, and record nothing")
    parser.add_argument(
        "--table", action="store_true", help="only print the newest records as the documentation shows them"
    )
    given = parser.parse_args()
    if given.table:
        print("\n".join(table()))
        return
    for name in given.network:
        entry = compare(name, SUBJECTS + COMPILED if given.compiled else SUBJECTS, given.rounds)
        print(json.dumps({key: entry[key] for key in ("network", "images_per_second", "best_timm")}, indent=1))
        if not given.dry:
            harness.append(entry)


def newest_records() -> dict[str, dict[str, Any]]:
    """The newest record of each network on a processor that was held to nothing less."""
    lines = harness.RECORDS.read_text(encoding="utf-8").splitlines()
    own = [one for line in lines if (one := json.loads(line))["name"] == NAME]
    return {one["network"]: one for one in own if not one["machine"].get("isa_limits")}


def table() -> list[str]:
    """The newest record of each network as a row; ratios are to the fastest of timm's, two trainings at once included.

    Beside one another: the best of one thread, and the best of both cores.
    """
    newest = newest_records()
    rows = [
        "| network, M MACs | timm, 1 thread | triscale, 1 thread | timm, 2 | triscale, 2 | triscale, 2, bf16 |",
        "|---|---|---|---|---|---|",
    ]
    alone = Subject("triscale", tuned=True)
    ours = [str(one) for one in (alone, replace(alone, processes=2), replace(alone, processes=2, precision="bfloat16"))]
    for name in (name for name in NETWORKS if name in newest):
        speed, best = newest[name]["images_per_second"], newest[name]["best_timm"]
        beside = [best["one thread"], best["all"], best["all"]]
        one, two, half = (
            f"{speed[way]:,.0f}/s, {speed[way] / peer:.2f}x" for way, peer in zip(ours, beside, strict=True)
        )
        cost = newest[name]["macs"] / 1e6
        rows.append(
            f"| {name}, {cost:.2g} | {best['one thread']:,.0f}/s | {one} | {best['all']:,.0f}/s | {two} | {half} |"
        )
    return rows


def _timm() -> str:
    import timm

    return str(timm.__version__)


if __name__ == "__main__":
    main()
