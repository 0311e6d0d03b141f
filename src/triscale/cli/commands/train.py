"""`triscale train`: one network, one recipe, one folder."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from triscale.api.asked import TrainOptions, request_of
from triscale.cli.options import sizes_and_limits
from triscale.cli.options.compute import HERE, Compute
from triscale.cli.options.doubtful import LEFT_OUT, Doubtful
from triscale.cli.options.network_name import any_named
from triscale.cli.options.stages import NO_LINE, PipelineArguments
from triscale.cli.options.working_folder import foreign_code
from triscale.cli.show.output import Flag, Whole, complain, print_json, print_text
from triscale.cli.show.progress.training_bar import training_progress
from triscale.cli.signals import Wish, terminable
from triscale.errors import InputError, OutputError, UsageError
from triscale.lock import LOCK
from triscale.trials import RECORDS

if TYPE_CHECKING:
    import torch

    from triscale.training import TrainRequest, World
    from triscale.trials import Execution, Numerics, Trial


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class TrainArguments:
    """What is trained, and how.

    Attributes:
        network: a network's name, a spec file, or your own code (my_package.models:build). Not needed where --weights
            name their network.
        data: class folders, a table, .npz files, .tar shards (see `triscale check`), or flowers, the embedded set.
        resolution: pixels, 64 or 64x96; by default that of the weights or the network.
        recipe: efficientnet, modern, quick or transfer, or a .toml file.
        epochs: instead of the recipe's.
        precision: float32, bfloat16 or auto, instead of the recipe's.
        batch: images a step, instead of the recipe's; auto splits the recipe's batch to fit into memory.
        seed: seed of all random draws.
        split_seed: seed of the split into training and validation images; by default that of --seed.
        train_size: training images to use; by default all.
        keep: the weights to keep: those of the epoch with the best validation accuracy, or of the last epoch.
        class_weights: balanced: all classes count alike in the loss, whatever their number of images; none: all images
            count alike. By default as the recipe says.
        weights: start from these: a run folder, a checkpoint, a file of timm, torchvision, EfficientNet-PyTorch,
            transformers or Keras, hf-hub:OWNER/NAME, or package (an installed package). A classifier for other classes
            is replaced.
        grow: start from the weights of a smaller network of the same kind; --network is larger and computes the same
            function at the start. Same sources as --weights.
        grow_network: name of the smaller network, where its weights do not say it.
        teacher: weights of a teacher for distillation: its outputs are learned beside the labels. It must have the
            classes of the data. Same sources as --weights.
        teacher_network: name of the teacher's network, where its file does not say it.
        allow_pth: read .pth files, which are pickles, with torch's restricted reader.
    """

    network: str | None = None
    data: str
    resolution: str | None = None
    recipe: str = "quick"
    epochs: Whole | None = None
    precision: Literal["float32", "bfloat16", "auto"] | None = None
    batch: str | None = None
    seed: Whole = 0
    split_seed: Whole | None = None
    train_size: Whole | None = None
    keep: Literal["best", "last"] = "best"
    class_weights: str | None = None
    weights: str | None = None
    allow_pth: Flag = False
    grow: str | None = None
    grow_network: str | None = None
    teacher: str | None = None
    teacher_network: str | None = None

    def options(self, **more: Any) -> TrainOptions:
        """What may be given to a training, with `more` from other options of the command line."""
        self._refuse_contradictions()
        size = None if self.resolution is None else sizes_and_limits.pixels(self.resolution)
        own = {name: value for name, value in vars(self).items() if name not in ("network", "data", "seed")}
        return TrainOptions(**{**own, "batch": _batch(self.batch), "resolution": size, **more})

    def _refuse_contradictions(self) -> None:
        """Mistakes in the words of the command line."""
        if self.grow is not None and (self.network is None or self.weights is not None):
            raise UsageError(
                "--grow starts from a smaller network than --network: give --network, and leave --weights out."
            )
        if self.network is None and self.weights is None:
            raise UsageError("give --network, or --weights that name their network.")
        for name in ("grow", "teacher"):
            if getattr(self, name) is None and getattr(self, f"{name}_network") is not None:
                raise UsageError(f"--{name}-network says which network --{name} is of: give that too.")
        if self.seed < 0:
            raise UsageError(f"--seed must be at least 0, got {self.seed}.")
        if self.epochs is not None and self.epochs < 1:
            raise UsageError(f"--epochs is {self.epochs}; give at least 1.")


def train(
    *,
    wanted: TrainArguments,
    out: Annotated[Path, Parameter(name="--out")],
    loader_workers: Whole = 1,
    gradient_checkpointing: Flag = False,
    save_every: sizes_and_limits.Signed = "60s",
    compute: Compute = HERE,
    line: PipelineArguments = NO_LINE,
    doubtful: Doubtful = LEFT_OUT,
    kernels: Annotated[bool, Parameter(show_default=False)] = True,
    tensorboard: Flag = False,
    json: Flag = False,
) -> None:
    """Train a network by a recipe, and keep its best weights.

    Interrupt or kill it at any time: the same command resumes, and ends with the same bits as a run without a break.

    Args:
        wanted: see `TrainArguments`.
        out: the folder of the run.
        loader_workers: workers that prepare batches ahead: threads, or processes for random crops.
        gradient_checkpointing: compute activations inside blocks again in the backward pass: less memory, one more
            forward pass, the same bits. A run that ran out of memory can resume with it.
        save_every: time between two saves of the state; it is also saved at the end and when stopped.
        compute: see `Compute`.
        line: see `PipelineArguments`.
        doubtful: see `Doubtful`.
        kernels: compile our own kernels, use them where a short benchmark finds them faster, and keep freed memory in
            the process. --no-kernels leaves all to torch and the system.
        tensorboard: also write the curves for TensorBoard into the folder.
        json: print one JSON document instead of text.
    """
    if loader_workers < 0:
        raise UsageError(f"--loader-workers is {loader_workers}; give 0 or more.")
    options = wanted.options(
        policy=doubtful.policy(), loader_workers=loader_workers, gradient_checkpointing=gradient_checkpointing,
        save_every=sizes_and_limits.seconds(save_every),
    )  # fmt: skip
    network = wanted.network if wanted.weights or wanted.network is None else any_named(wanted.network)
    with foreign_code():
        request = request_of(network, wanted.data, wanted.seed, options, complain)
    _refuse_another_folder(out)
    from triscale.training import here, numerics_here  # noqa: PLC0415  torch is loaded only here

    world = line.world(here(), request.recipe.batch, auto=request.split_for_memory)
    numerics = numerics_here(_place(compute, world), compute.threads, kernels=kernels)
    execution = options.to_execution()
    with foreign_code():
        trial = _trial(request, out, numerics, execution, world, tensorboard)
    if world.first:
        _tell(trial, out, request.weights.notes if request.weights else (), json=json)


def _tell(trial: "Trial", out: Path, notes: tuple[str, ...], *, json: bool) -> None:
    if json:
        print_json(_document(trial, out) | ({"notes": list(notes)} if notes else {}))
    else:
        print_text(f"validation top-1 {trial.metrics['validation_top1']:.1%} after epoch {trial.kept_epoch} of "
                   f"{trial.epochs}: {out / str(trial.checkpoint)}")  # fmt: skip


def _trial(
    request: "TrainRequest",
    out: Path,
    numerics: "Numerics",
    execution: "Execution",
    world: "World",
    tensorboard: Flag,
) -> "Trial":
    """Train in the folder, together with the other processes if there are any.

    After a signal asked to stop, it is obeyed once the state is saved.
    """
    from triscale.training import Interrupted, train_request  # noqa: PLC0415

    wish = Wish(os.getppid() if world.size > 1 else None)
    with terminable(), training_progress(out if tensorboard else None, wish, speaks=world.first) as callbacks:
        try:
            return train_request(request, out, numerics, execution, callbacks, world)
        except Interrupted:
            complain(f"stopped; the same command resumes in {out}.")
            wish.obey()
            raise


def _place(compute: Compute, world: "World") -> "torch.device":
    """Where this process computes; of several on a machine with GPUs each has its own, as NCCL wants it."""
    from triscale.nn import devices  # noqa: PLC0415

    wanted = (compute.device or "cuda").lower()
    gpus = sum(one.startswith("cuda") for one in devices())
    if world.size == 1 or not gpus or not wanted.startswith("cuda"):
        return compute.place()
    if wanted != "cuda" and world.local_rank:
        raise UsageError(f"--device {wanted} is one GPU for several processes; --device cuda gives each its own.")
    if world.local_rank >= gpus:
        number = world.local_rank + 1
        raise InputError(
            f"process {world.rank} has no GPU of its own: it is number {number} on a machine that has {gpus}.\n"
            "Start no more processes than there are GPUs (--nproc-per-node), or use --device cpu."
        )
    return replace(compute, device=f"cuda:{world.local_rank}" if wanted == "cuda" else wanted).place()


def _document(trial: "Trial", out: Path) -> dict[str, Any]:
    return {
        "run": str(out),
        "epochs": trial.epochs,
        "val_top1": trial.metrics["validation_top1"],
        "validation_top1": trial.metrics["validation_top1"],
        "checkpoint": str(out / str(trial.checkpoint)),
        "best_epoch": trial.kept_epoch,
        "key": trial.key,
    }


def _batch(text: str | None) -> int | Literal["auto"] | None:
    if text is None:
        return None
    if text == "auto":
        return "auto"
    if not text.isascii() or not text.isdecimal() or int(text) < 2:
        raise UsageError(f"--batch is {text!r}; give a whole number from 2, or auto.")
    return int(text)


def _refuse_another_folder(out: Path) -> None:
    """A training does not spread its files among somebody's others; a lock alone is what one left that just began."""
    try:
        names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    except OSError as error:
        raise OutputError(f"the folder {out} cannot be read: {error.strerror or error}. Use another --out.") from None
    if {name for name in names if not name.endswith(".tmp")} - {LOCK} and not names & {"run.json", RECORDS}:
        raise OutputError(f"{out} is not empty and holds no training; give --out a new folder, or that of a training.")
