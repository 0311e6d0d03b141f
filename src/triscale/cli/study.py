"""`triscale study`: the main job."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from triscale.cli import quantities
from triscale.cli.compute import HERE, Compute
from triscale.cli.doubtful import GroupBy
from triscale.cli.named import named
from triscale.cli.output import Flag, Whole, complain, print_json, print_text
from triscale.cli.plan import plan_document, show_plan
from triscale.cli.progress import terminal_progress
from triscale.cli.signals import Stopped, terminable
from triscale.errors import OutputError, UsageError
from triscale.lock import LOCK, locked

if TYPE_CHECKING:
    from triscale.search.progress import Progress
    from triscale.search.question import Question
    from triscale.search.study import Study


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked; whatever is left out is as `triscale.search.question.Question` says.

    Attributes:
        data: flowers (the default), the embedded set; or class folders, .npz, .csv, .tar: see `triscale check`.
        phi: the largest phi of the family, 1 to 10; 2 by default.
        budget: instead of phi, a limit on the largest member, such as macs=20M; several may be given.
        batch: pictures a step, for a limit on training_memory.
        tolerance: how far the counted cost of a candidate may be from twice the baseline's.
        candidates: most networks to try for alpha, beta and gamma; at least 4.
        seeds: trainings of the leaders and of every member of the family.
        epochs: length of a training; at least 2.
        train_size: training pictures to use; at least 10.
        time: size the study to a time such as 30m.
        seed: the first seed.
        group_by: what stays on one side of a split that is drawn: images of equal content (the default), or near
            copies too (resized, re-encoded).
    """

    data: str | None = None
    phi: float | None = None
    budget: Annotated[
        tuple[str, ...],
        Parameter(
            negative=(),
            show_default=False,
            help=quantities.budget_help("instead of phi, a limit on the largest member, such as macs=20M"),
        ),
    ] = ()
    batch: Whole | None = None
    tolerance: float | None = None
    candidates: Whole | None = None
    seeds: Whole | None = None
    epochs: Whole | None = None
    train_size: Whole | None = None
    time: quantities.Signed | None = None
    seed: Whole | None = None
    group_by: GroupBy | None = None

    def question(self, net: str | None) -> "Question":
        """The question, for a baseline or the usual one."""
        if self.phi is not None and self.budget:
            raise UsageError("give --phi or --budget, not both.")
        limits = quantities.limits(self.budget)
        quantities.require_batch(limits, self.batch)
        given = {
            **vars(self),
            "network": net,
            "budget": limits or None,
            "time": None if self.time is None else quantities.seconds(self.time),
        }
        from triscale.search.question import Question  # noqa: PLC0415  without torch: a mistake is told at once

        return Question(**{name: value for name, value in given.items() if value is not None})


NOTHING = Asked()


def study(
    net: Annotated[str | None, Parameter(name="NET")] = None,
    /,
    *,
    asked: Asked = NOTHING,
    workers: Whole | None = None,
    compute: Compute = HERE,
    kernels: Annotated[bool, Parameter(show_default=False)] = True,
    plan: Flag = False,
    out: Path | None = None,
    json: Flag = False,
) -> None:
    """Find how to spend a budget on depth, width and resolution, on your pictures, and prove it.

    Interrupt it anywhere: the same command goes on where it stopped.
    The question, whose hash names the default folder, is all but --workers, --device, --threads, --kernels and --out.

    Args:
        net: the baseline: a registered or scaled name, or a spec file; shallownet_24 by default.
        asked: see `Asked`.
        workers: trainings at a time; by default one a core (or as many as --threads leaves room for), one on a GPU.
        compute: see `Compute`.
        kernels: keep freed memory in the processes and, in trainings of a thousand steps and more, use kernels of our
            own for the parts of the network that a short measurement finds faster with them; --no-kernels leaves all
            to torch and the system.
        plan: show candidates, family and predicted time; train and write nothing.
        out: the folder of the study; triscale-runs/HASH by default.
        json: print one JSON document instead of text.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"--workers is {workers}; give at least 1.")
    if out is not None:
        _refuse_another_folder(out)
    question = asked.question(net)
    named(question.network)
    with terminal_progress() as progress:
        opened = partial(_open, question, out, workers, compute, progress, kernels=kernels)
        if plan:
            _plan(opened, json=json)
        else:
            _run(opened, out, json=json)


def _refuse_another_folder(out: Path) -> None:
    """A study does not spread its files among somebody's others; a lock alone is what a study left that just began."""
    try:
        names = {path.name for path in out.iterdir()} if out.is_dir() else set()
    except OSError as error:
        raise OutputError(f"the folder {out} cannot be read: {error.strerror or error}. Use another --out.") from None
    if names - {LOCK} and "records.jsonl" not in names:
        raise OutputError(f"{out} is not empty and holds no study; give --out a new folder, or that of a study.")


def _plan(opened: "Callable[[], Study]", *, json: bool) -> None:
    study = opened()
    plan = study.plan()
    document = plan_document(study, plan)
    if json:
        print_json(document)
    else:
        show_plan(document)


def _run(opened: "Callable[[], Study]", out: Path | None, *, json: bool) -> None:
    with terminable(), locked(out) if out is not None else nullcontext():
        study = opened()
        with locked(study.folder) if out is None else nullcontext():
            try:
                records = study.run()
            except (KeyboardInterrupt, Stopped):
                complain(f"stopped; the same command goes on with {study.folder}.")
                raise
            from triscale.report import write_report  # noqa: PLC0415  plotly is loaded only here

            path = write_report(study.folder)
    answer, choice = records.one("answer") or {}, records.one("choice") or {}
    if json:
        print_json(
            {
                "folder": str(study.folder),
                "report": str(path),
                "lines": answer["lines"],
                "best": answer["best"],
                "checkpoint": str(study.folder / "best.safetensors"),
                "coefficients": choice["coefficients"],
                "tied": choice["tied"],
                "warning": choice["warning"],
            }
        )
    else:
        print_text(*answer["lines"], f"Report: {path}")
        if choice["warning"]:
            complain(f"warning: {choice['warning']}")


def _open(
    question: "Question",
    out: Path | None,
    workers: int | None,
    compute: Compute,
    progress: "Progress",
    *,
    kernels: bool,
) -> "Study":
    from triscale.search.jobs import cores  # noqa: PLC0415  torch is loaded only here
    from triscale.search.study import Study  # noqa: PLC0415

    device, threads = compute.place(), compute.threads or 1
    usual = max(1, cores() // threads) if device.type == "cpu" else 1
    return Study(question, out, workers=workers or usual, progress=progress, threads=threads, device=device,
                 kernels=kernels)  # fmt: skip
