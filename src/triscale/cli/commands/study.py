"""`triscale study`: the main job."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from cyclopts import Parameter

from triscale.api.training import jobs_of, study_result
from triscale.cli.options import sizes_and_limits
from triscale.cli.options.cluster import NO_CLUSTER, Cluster
from triscale.cli.options.coefficients import read_coefficients
from triscale.cli.options.compute import HERE, Compute
from triscale.cli.options.doubtful import LEFT_OUT, Doubtful
from triscale.cli.options.network_name import any_named
from triscale.cli.options.searching import question_fields, refuse_another_folder
from triscale.cli.options.working_folder import foreign_code
from triscale.cli.show.output import Flag, Whole, complain, print_json, print_text
from triscale.cli.show.progress.progress_lines import terminal_progress
from triscale.cli.show.study_plan import plan_document, show_plan
from triscale.cli.signals import Stopped, terminable
from triscale.errors import UsageError
from triscale.lock import locked

if TYPE_CHECKING:
    from triscale.search.studies.question import Question
    from triscale.search.studies.study import Study
    from triscale.search.trainings.progress import StudyProgress


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class StudyArguments:
    """The question of a study; whatever is left out is as `triscale.search.studies.question.Question` says.

    Attributes:
        data: flowers (the default, embedded), or class folders, .npz, .csv, .tar: see `triscale check`.
        recipe: efficientnet, modern, quick or transfer, or a .toml file; quick by default.
        precision: float32, bfloat16 or auto, instead of the recipe's.
        phi: the largest phi of the family, 1 to 10; 2 by default.
        budget: instead of --phi, a limit on the largest member, such as macs=20M; may be repeated.
        batch: images a step, instead of the recipe's; a limit on training_memory uses it.
        tolerance: how far the counted cost of a candidate may lie from twice the baseline's.
        candidates: at most so many networks of the scaling triangle; at least 4; 24 by default.
        trainings: number of trainings of candidates; by default two for each candidate.
        round: trainings of candidates that are chosen together; 4 by default, more where many run at a time.
        seeds: most trainings of one candidate; also those of the baseline and of each member of the family.
        rivals: rules to compare the family with at equal counted cost, with commas between: depth, width, resolution,
            paper (the compound rule with its paper's coefficients), uniform, fast_compound, resnet_rs (depth where the
            baseline overfits, else width), tinynet (for a budget below the baseline). The first four by default.
        epochs: length of a training; at least 2.
        train_size: training images to use; at least 10.
        time: size the study to a time such as 30m.
        seed: the first seed.
        at_phi: look at networks of 2^at_phi times the cost; 1 by default.
        transfer: with --at-phi: coefficients of another study (its folder, or three numbers such as 1.2,1.1,1.15); the
            answer says what they lose here.
        enlarge: let candidates take more pixels than the original images have.
        target: where latency is measured, as a cost or a limit: ENGINE:PRECISION:tTHREADS[:bBATCH].
        cost: the cost that candidates, family and rivals share: macs (the default), or another metric such as
            activations.
    """

    data: str | None = None
    recipe: str | None = None
    precision: Literal["float32", "bfloat16", "auto"] | None = None
    phi: float | None = None
    budget: Annotated[
        tuple[str, ...],
        Parameter(
            negative=(),
            show_default=False,
            help=sizes_and_limits.budget_help("instead of --phi, a limit on the largest member, such as macs=20M"),
        ),
    ] = ()
    batch: Whole | None = None
    tolerance: float | None = None
    candidates: Whole | None = None
    trainings: Whole | None = None
    round: Whole | None = None
    seeds: Whole | None = None
    rivals: str | None = None
    epochs: Whole | None = None
    train_size: Whole | None = None
    time: sizes_and_limits.Signed | None = None
    seed: Whole | None = None
    at_phi: float | None = None
    transfer: str | None = None
    enlarge: Flag = False
    target: str | None = None
    cost: str | None = None

    def question(self, net: str | None, doubtful: Doubtful) -> "Question":
        """The question, for a baseline or the usual one."""
        if self.phi is not None and self.budget:
            raise UsageError("give --phi or --budget, not both.")
        transfer = None if self.transfer is None else ",".join(map(str, read_coefficients(self.transfer)))
        fields = question_fields(self, net, doubtful, transfer=transfer)
        from triscale.search.studies.question import Question  # noqa: PLC0415  without torch: a mistake is reported at once

        return Question(**fields)


NOTHING = StudyArguments()


def study(
    net: Annotated[str | None, Parameter(name="NET")] = None,
    /,
    *,
    asked: StudyArguments = NOTHING,
    jobs: Whole | None = None,
    loader_workers: Whole = 0,
    cluster: Cluster = NO_CLUSTER,
    doubtful: Doubtful = LEFT_OUT,
    compute: Compute = HERE,
    kernels: Annotated[bool, Parameter(show_default=False)] = True,
    plan: Flag = False,
    out: Path | None = None,
    json: Flag = False,
) -> None:
    """Find how to spend a budget on depth, width and resolution.

    Trains candidates on your images, chooses among them with statistics, and builds the family that follows. Interrupt
    it at any time: the same command resumes. Options that do not change the answer are --jobs, --loader-workers,
    --engine and its options, --device, --threads, --kernels and --out; all others name the study, and its default
    folder.

    Args:
        net: the baseline: a network's name, a spec file, or your own code (my_package.models:build); by default
            shallownet_24.
        asked: see `StudyArguments`.
        jobs: trainings at a time; by default one a core (or as many as --threads leaves room for), one on a GPU.
            Required on a cluster.
        loader_workers: workers of each training that prepare batches ahead.
        cluster: see `Cluster`.
        doubtful: see `Doubtful`.
        compute: see `Compute`.
        kernels: keep freed memory in the processes, and in trainings of a thousand steps or more use our own kernels
            where a short benchmark finds them faster. --no-kernels leaves all to torch and the system.
        plan: show candidates, family and predicted time; train and write nothing.
        out: the folder of the study; by default triscale-runs/HASH.
        json: print one JSON document instead of text.
    """
    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs is {jobs}; give at least 1.")
    if loader_workers < 0:
        raise UsageError(f"--loader-workers is {loader_workers}; give 0 or more.")
    if out is not None:
        refuse_another_folder(out, "study")
    question = asked.question(net, doubtful)
    any_named(question.network)
    with terminal_progress() as progress:
        opened = partial(_open, question, out, jobs, loader_workers, cluster, compute, progress, kernels=kernels)
        if plan:
            _plan(opened, json=json)
        else:
            _run(opened, out, json=json)


def _plan(opened: "Callable[[], Study]", *, json: bool) -> None:
    with foreign_code():
        study = opened()
        plan = study.plan()
    document = plan_document(study, plan)
    if json:
        print_json(document)
    else:
        show_plan(document)


def _run(opened: "Callable[[], Study]", out: Path | None, *, json: bool) -> None:
    """A folder that is given is held before the images are looked at: a second driver fails at once."""
    with terminable(), foreign_code(), locked(out) if out is not None else nullcontext():
        study = opened()
        try:
            stored = study.run()
        except (KeyboardInterrupt, Stopped):
            complain(f"stopped; the same command resumes in {study.folder}.")
            raise
        from triscale.report import write_report  # noqa: PLC0415  plotly is loaded only here

        path = write_report(study.folder)
    found = study_result(stored, study.folder, path)
    answer, choice = found.answer, found.choice
    if json:
        print_json(
            {
                "folder": str(study.folder),
                "report": str(path),
                "lines": list(answer.lines),
                "best": answer.best,
                "checkpoint": str(study.folder / "best.safetensors"),
                "tied": list(choice.tied),
                "warning": choice.warning,
                **msgspec.to_builtins(found.document),
            }
        )
    else:
        print_text(*answer.lines, f"Report: {path}")
        if choice.warning:
            complain(f"warning: {choice.warning}")


def _open(
    question: "Question",
    out: Path | None,
    jobs: int | None,
    loader_workers: int,
    cluster: Cluster,
    compute: Compute,
    progress: "StudyProgress",
    *,
    kernels: bool,
) -> "Study":
    from triscale.search.studies.study import Study  # noqa: PLC0415  torch is loaded only here
    from triscale.training import numerics_here  # noqa: PLC0415

    engine = cluster.engine()
    numerics = numerics_here(compute.place(), compute.threads or 1, kernels=kernels)
    return Study(
        question, out, jobs=jobs_of(jobs, engine, numerics.device, numerics.threads), numerics=numerics,
        progress=progress, loader_workers=loader_workers, engine=engine,
    )  # fmt: skip
