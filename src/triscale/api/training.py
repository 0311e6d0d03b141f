"""Training one network, and studying how to scale one: in a script or a notebook as on the command line."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triscale.api.asked import TrainOptions, request_of
from triscale.api.counted import NamedNetwork, as_any_network
from triscale.api.notebook_progress import in_notebook, notebook_study, notebook_training, shown_study
from triscale.api.option_types import checked, typed
from triscale.costs import read_limit
from triscale.errors import UsageError
from triscale.machine import cores
from triscale.quantities import seconds
from triscale.trials import Stored, Trial
from triscale.trials.study_records import AnswerRecord, ChoiceRecord

if TYPE_CHECKING:
    from triscale.report import StudyDocument
    from triscale.search.trainings.progress import StudyProgress
    from triscale.search.trainings.workers import Engine
    from triscale.training import Callbacks


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainResult:
    """A finished training: its trial, the checkpoint of the weights that were kept, and its folder."""

    trial: Trial
    checkpoint: Path
    folder: Path

    def _repr_html_(self) -> str | None:
        return self.trial._repr_html_()


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyResult:
    """A finished study.

    Attributes:
        answer: in five lines, with the id of the network to take.
        choice: alpha, beta and gamma, and what they rest on.
        trials: all of its trainings.
        document: the same as numbers: what was chosen, the region of the best, candidates, rivals.
        checkpoint: weights of the network to take.
        report: the page.
        folder: where all of it lies.
    """

    answer: AnswerRecord
    choice: ChoiceRecord
    trials: list[Trial]
    document: "StudyDocument"
    checkpoint: Path
    report: Path
    folder: Path

    def _repr_html_(self) -> str | None:
        return shown_study(self.folder)


def train(
    network: NamedNetwork | None,
    data: str | Path,
    *,
    out: str | Path,
    seed: int = 0,
    callbacks: "Callbacks | None" = None,
    **options: Any,
) -> TrainResult:
    """Train a network by a recipe; the same call resumes a training that was interrupted, to the same bits.

    Args:
        network: a network or its name, also of your own code ("my_models:build", or the function itself); None
            where `weights` say which they are of.
        data: see `triscale.data.open_data`.
        out: the folder of the training.
        seed: of the weights, the order, and all that is drawn in the training.
        callbacks: what it calls while it runs; by default remarks go to the error stream.
        **options: fields of `TrainOptions`: recipe, epochs, batch, weights, device and others.

    Raises:
        UsageError: an unknown option, or options that contradict each other.
        InputError, BusyError, NumericError, OutOfMemoryError, OutputError, StorageError: see `triscale.training.fit`.
    """
    given = TrainOptions(**checked("training", options, TrainOptions))
    from triscale.training import numerics_here, train_request  # noqa: PLC0415  torch is loaded only here

    hears, folder = callbacks or remarks(), Path(typed("out", out))
    request = request_of(network, data, typed("seed", seed), given, hears.say)
    numerics = numerics_here(given.device, given.threads, kernels=given.kernels)
    trial = train_request(request, folder, numerics, given.to_execution(), hears)
    return TrainResult(trial=trial, checkpoint=folder / str(trial.checkpoint), folder=folder)


def study(
    baseline: NamedNetwork = "shallownet_24",
    data: str | Path = "flowers",
    *,
    out: str | Path | None = None,
    budget: Mapping[str, float | str] | None = None,
    time: float | str | None = None,
    jobs: int | None = None,
    device: str | None = None,
    threads: int = 1,
    kernels: bool = True,
    loader_workers: int = 0,
    engine: "Engine | None" = None,
    progress: "StudyProgress | None" = None,
    **asked: Any,
) -> StudyResult:
    """Find how to spend a budget on depth, width and resolution, on these images; the same call resumes it.

    Args:
        baseline: a network or its name, also of your own code ("my_models:build", or the function itself).
        data: see `triscale.data.open_data`.
        out: the folder of the study; by default `triscale-runs/` and the hash of the question.
        budget: limits on the largest member, such as {"macs": "20M"}.
        time: sizes the study: seconds, or a text such as "30m".
        jobs: trainings at a time; by default one a core, one on a GPU; a cluster needs it.
        device, threads, kernels: where each training computes, see `triscale.training.numerics_here`.
        loader_workers: of each training.
        engine: what runs the trainings, see `triscale.search.trainings.workers.Engine`; by default processes of this
            machine.
        progress: what it reports to; by default warnings go to the error stream.
        **asked: further fields of `triscale.search.studies.question.Question`, such as phi, epochs, seeds, recipe,
            precision.

    Raises:
        UsageError: an unknown field, or one that is out of range.
        InputError, BusyError, OutputError, StorageError: see `triscale.search.studies.study.Study.run`.
    """
    from triscale.report import write_report  # noqa: PLC0415  plotly is loaded only here
    from triscale.search.studies.question import Question  # noqa: PLC0415
    from triscale.search.studies.study import Study  # noqa: PLC0415  torch is loaded only here
    from triscale.training import numerics_here  # noqa: PLC0415

    question = Question(
        network=baseline if isinstance(baseline, str) else as_any_network(baseline).name,
        data=str(data),
        budget=limits_of(budget),
        time=seconds(time) if isinstance(time, str) else time,
        **checked("study", asked, Question),
    )
    numerics, where = numerics_here(device, typed("threads", threads), kernels=kernels), engine_of(engine)
    found = Study(
        question, None if out is None else Path(typed("out", out)),
        jobs=jobs_of(jobs, where, numerics.device, threads), numerics=numerics,
        loader_workers=loaders_of(loader_workers), engine=where, progress=progress or warnings(),
        baseline=None if isinstance(baseline, str) else as_any_network(baseline),
    )  # fmt: skip
    return study_result(found.run(), found.folder, write_report(found.folder))


def study_result(stored: Stored, folder: Path, report: Path) -> StudyResult:
    """What a study that has ended holds."""
    from triscale.report import study_document  # noqa: PLC0415  plotly is loaded only here

    answer, choice = stored.one(AnswerRecord), stored.one(ChoiceRecord)
    if answer is None or choice is None:
        raise ValueError(f"the study in {folder} has no answer yet")
    return StudyResult(
        answer=answer, choice=choice, trials=list(stored), document=study_document(stored),
        checkpoint=folder / "best.safetensors", report=report, folder=folder,
    )  # fmt: skip


def jobs_of(jobs: int | None, engine: "Engine", device: str, threads: int) -> int:
    """Trainings at a time: as given; else as many as the cores have room for, and one on a GPU.

    Raises:
        UsageError: none are given for a cluster, whose size changes.
    """
    if engine.num_gpus and device == "cpu":
        raise UsageError(
            "--num-gpus is for trainings on GPUs: give --device cuda too, on a machine that has one.\n"
            "The driver times steps and tests the family itself."
        )
    if jobs is not None:
        if typed("jobs", jobs) < 1:
            raise UsageError(f"jobs is {jobs}; give at least 1.")
        return jobs
    if engine.name == "ray":
        raise UsageError("a cluster needs --jobs: how many trainings run at a time.")
    return max(1, cores() // threads) if device == "cpu" else 1


def loaders_of(number: int) -> int:
    """Loader workers of a training, as given; UsageError below 0."""
    if typed("loader_workers", number) < 0:
        raise UsageError(f"loader_workers is {number}; give 0 or more.")
    return number


def engine_of(given: "Engine | None") -> "Engine":
    """What runs trainings: as given, else processes of this machine; UsageError for what is not an engine."""
    from triscale.search.trainings.workers import LOCAL, Engine  # noqa: PLC0415  torch is loaded only here

    if given is not None and not isinstance(given, Engine):
        raise UsageError(
            f"engine is {given!r}; give triscale.search.trainings.workers.Engine(name='ray'), or leave it out."
        )
    return given or LOCAL


def limits_of(budget: Mapping[str, float | str] | None) -> dict[str, float]:
    """The limits as numbers, in the unit of each metric."""
    if budget is not None and not isinstance(budget, Mapping):
        raise UsageError(f"budget is {budget!r}; give limits by name, such as {{'macs': '20M'}}.")
    return {name: read_limit(name, limit) for name, limit in (budget or {}).items()}


def _say(text: str) -> None:
    print(f"triscale: {text}", file=sys.stderr)


def remarks() -> "Callbacks":
    """Callbacks that print remarks on the error stream; in a notebook, with a bar."""
    if in_notebook():
        return notebook_training()
    from triscale.training import Quiet  # noqa: PLC0415  torch is loaded only here

    class Remarks(Quiet):
        def say(self, text: str) -> None:
            _say(text)

    return Remarks()


def warnings() -> "StudyProgress":
    """Progress that prints warnings and failures on the error stream; in a notebook, with a bar."""
    if in_notebook():
        return notebook_study()
    from triscale.search.trainings.progress import Quiet  # noqa: PLC0415

    class Warnings(Quiet):
        def say(self, text: str) -> None:
            if text.startswith("warning"):
                _say(text)

        def settled(self, trial: Trial) -> None:
            if trial.state == "failed":
                _say(f"{trial.network.name}, seed {trial.seed}, failed: {trial.reason}")

    return Warnings()
