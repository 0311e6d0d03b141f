"""`triscale fit`: from images and limits to a file that keeps them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from triscale import api
from triscale.cli.options import sizes_and_limits
from triscale.cli.options.compute import HERE, Compute
from triscale.cli.options.doubtful import LEFT_OUT, Doubtful
from triscale.cli.options.network_name import named
from triscale.cli.options.searching import refuse_another_folder
from triscale.cli.show.output import Flag, Whole, complain, print_json, print_text
from triscale.cli.show.progress.fit_progress import FitProgress
from triscale.cli.signals import Wish, terminable
from triscale.errors import UsageError


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class FitArguments:
    """What is built, and how; what is left out suits the images.

    Attributes:
        network: the baseline: a registered or scaled name, or a spec file; by default one made for images of this size.
        weights: what to begin with: package, a run folder, a file, hf-hub:OWNER/NAME, or none; by default those of an
            installed package, where the images are photos and these weights keep the limits.
        target: ENGINE:PRECISION:tTHREADS, that a limit on latency is of; by default the engine of the file in one
            thread. It is calibrated if it never was.
        format: of the file: onnx, openvino or native (compiled here); onnx by default.
        engine: auto, which exports for every engine that is here, measures the files, and keeps the fastest.
        rule: of scaling; compound by default, and resolution where there are weights.
        recipe: efficientnet, modern, quick or transfer, or a .toml file; transfer where there are weights, else quick.
        epochs: of the training, instead of what the time allows.
        precision: of the training: float32, bfloat16 or auto, instead of the recipe's.
        batch: images a step instead of the recipe's.
        train_size: training images to use; all by default.
        seed: of all that is drawn.
        no_comparison: give all the time to the answer. By default a network of twice the cost is trained too, if there
            is time, since it shows what the limit costs.
        allow_pth: read a pickle of torch (.pth), by its restricted reader.
    """

    network: str | None = None
    weights: str | None = None
    target: str | None = None
    format: Literal["onnx", "openvino", "native"] | None = None
    engine: Literal["auto"] | None = None
    rule: str | None = None
    recipe: str | None = None
    epochs: Whole | None = None
    precision: Literal["float32", "bfloat16", "auto"] | None = None
    batch: Whole | None = None
    train_size: Whole | None = None
    seed: Whole | None = None
    no_comparison: Flag = False
    allow_pth: Flag = False

    def given(self) -> dict[str, Any]:
        """What was given."""
        return {name: value for name, value in vars(self).items() if value is not None}


NOTHING = FitArguments()


def fit(
    *,
    data: str,
    budget: Annotated[
        tuple[str, ...],
        Parameter(negative=(), show_default=False, help=sizes_and_limits.budget_help("a limit such as macs=50M")),
    ],
    out: Annotated[Path, Parameter(name="--out")],
    time: sizes_and_limits.Signed = "1h",
    asked: FitArguments = NOTHING,
    loader_workers: Whole = 1,
    compute: Compute = HERE,
    doubtful: Doubtful = LEFT_OUT,
    kernels: Annotated[bool, Parameter(show_default=False)] = True,
    json: Flag = False,
) -> None:
    """Build, train and export a network that keeps your limits.

    It picks and scales a network for your images, trains and exports it, and tests the file on images that decided
    nothing. The folder then holds the file (model.onnx), report.html, README.md, the weights and the records.
    Interrupt or kill it anywhere: the same command resumes.

    Args:
        data: images: class folders, a table, .npz files, or any other that `triscale check` takes.
        budget: a limit such as macs=50M, file_size=2MB or latency=10ms; several may be given.
        out: the folder; the same command in it resumes, or gives its answer again.
        time: for everything but measuring latency, such as 30m or 2h.
        asked: see `FitArguments`.
        loader_workers: how many make batches ahead.
        compute: see `Compute`.
        doubtful: see `Doubtful`.
        kernels: compile kernels of our own for training where they are faster; --no-kernels leaves all to torch.
        json: print one JSON document instead of text.
    """
    if os.environ.get("WORLD_SIZE", "1") != "1":
        raise UsageError("fit computes in one process: start it without torchrun.")
    limits = sizes_and_limits.limits(budget)
    if asked.network is not None and asked.weights in (None, "none", "package"):
        named(asked.network)
    refuse_another_folder(out, "fit")
    wish = Wish()
    from triscale.training import Interrupted  # noqa: PLC0415  torch is loaded only here

    with terminable():
        try:
            found = api.fit(
                data, budget=limits, out=out, time=sizes_and_limits.seconds(time), watch=FitProgress(wish),
                loader_workers=loader_workers, device=compute.device, threads=compute.threads, kernels=kernels,
                **{**asked.given(), **vars(doubtful)},
            )  # fmt: skip
        except Interrupted:
            complain(f"stopped; the same command resumes in {out}.")
            wish.obey()
            raise
    if json:
        print_json(found.to_dict())
    else:
        print_text(*found.lines)
