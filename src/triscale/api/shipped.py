"""From images and limits to a file that keeps them: in a script or a notebook as on the command line."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triscale.api.counted import as_network
from triscale.api.option_types import checked, typed
from triscale.api.training import limits_of, loaders_of
from triscale.errors import UsageError
from triscale.quantities import seconds
from triscale.spec import Network
from triscale.trials import Execution, Stored
from triscale.trials.fits.fit_records import FitPlanRecord, FitTestRecord, LimitRecord, ShippedRecord
from triscale.trials.study_records import AnswerRecord

if TYPE_CHECKING:
    from triscale.shipping.fit_watch import FitWatch


@dataclass(frozen=True, kw_only=True, slots=True)
class FitResult:
    """A finished fit.

    Attributes:
        lines: the answer in five lines.
        network: what was built.
        limits: each with what the network and its file use of it.
        file: the exported file.
        test: the file on images that decided nothing.
        checkpoint: the trained weights.
        report: the page.
        folder: where all of it lies.
    """

    lines: tuple[str, ...]
    network: Network
    limits: tuple[LimitRecord, ...]
    file: Path
    test: FitTestRecord
    checkpoint: Path
    report: Path
    folder: Path

    def __str__(self) -> str:
        """The answer."""
        return "\n".join(self.lines)

    def to_dict(self) -> dict[str, Any]:
        """As `triscale fit --json` prints it."""
        larger = self.test.larger
        return {
            "answer": list(self.lines),
            "network": self.network.name,
            "resolution": list(self.network.resolution),
            "limits": [
                {"name": one.name, "limit": one.limit, "use": one.use, "measured": one.measured, "binds": one.binds}
                for one in self.limits
            ],
            "file": str(self.file),
            "test": {
                "split": self.test.split,
                "images": self.test.images,
                "correct": self.test.correct,
                "top1": self.test.correct / self.test.images,
                "twice_the_cost_top1": None if larger is None else larger.correct / self.test.images,
            },
            "checkpoint": str(self.checkpoint),
            "report": str(self.report),
            "folder": str(self.folder),
        }


def fit(
    data: str | Path,
    *,
    budget: Mapping[str, float | str],
    out: str | Path,
    network: str | None = None,
    time: float | str = 3600.0,
    device: str | None = None,
    threads: int | None = None,
    kernels: bool = True,
    loader_workers: int = 1,
    watch: "FitWatch | None" = None,
    **asked: Any,
) -> FitResult:
    """Pick, scale, train, export and test a network that keeps a budget; the same call resumes it.

    Args:
        data: images, see `triscale.data.open_data`.
        budget: limits on the network and its file, such as {"macs": "50M", "file_size": "2MB", "latency": "10ms"}.
        out: the folder.
        network: name of the baseline, or a spec file; by default the one that suits the images.
        time: for everything: seconds, or a text such as "30m".
        device, threads, kernels: where the trainings compute, see `triscale.training.numerics_here`.
        loader_workers: of each training.
        watch: receives the progress; by default remarks go to the error stream.
        **asked: further fields of `triscale.shipping.fit_question.FitQuestion`, such as weights, target, format.

    Raises:
        UsageError: an unknown field, or one that is out of range.
        InputError: no network keeps the budget, the time is too short, or the images or weights cannot be used.
        BusyError, NumericError, OutOfMemoryError, OutputError, StorageError: see `triscale.shipping.fit_run.FitRun`.
    """
    if network is not None and not isinstance(network, str):
        raise UsageError(
            "give the network by its name, or as a spec file.\n"
            "This writes one: Path('net.json').write_text(triscale.spec.dumps(network))"
        )
    from triscale.shipping.fit_question import FitQuestion  # noqa: PLC0415
    from triscale.shipping.fit_run import FitRun  # noqa: PLC0415  torch is loaded only here
    from triscale.training import numerics_here  # noqa: PLC0415

    question = FitQuestion(
        data=str(data),
        network=network or "",
        budget=limits_of(budget),
        time=seconds(time) if isinstance(time, str) else time,
        **checked("fit", asked, FitQuestion),
    )
    if question.network:
        as_network(question.network)  # a wrong name is reported before the images are opened
    numerics = numerics_here(device, None if threads is None else typed("threads", threads), kernels=kernels)
    execution = Execution(loader_workers=loaders_of(loader_workers), forget_state=True)
    run = FitRun(
        question, Path(typed("out", out)), numerics=numerics, execution=execution, watch=watch or _remarks(),
        given={
            "device": device, "threads": threads, "no_kernels": not kernels,
            "loader_workers": None if loader_workers == 1 else loader_workers,
        },
    )  # fmt: skip
    return fit_result(run.run(), run.folder)


def fit_result(stored: Stored, folder: Path) -> FitResult:
    """What a fit that has ended holds; its page and its README are written again."""
    from triscale.report import write_fit_readme, write_report  # noqa: PLC0415  plotly is loaded only here

    plan, test, file = stored.one(FitPlanRecord), stored.one(FitTestRecord), stored.one(ShippedRecord)
    answer = stored.one(AnswerRecord)
    if plan is None or test is None or file is None or answer is None:
        raise ValueError(f"the fit in {folder} has no answer yet")
    network = stored.network(plan.network)
    assert isinstance(network, Network)  # noqa: S101  a fit scales no other
    write_fit_readme(folder)
    return FitResult(
        lines=answer.lines, network=network, limits=plan.limits, file=folder / Path(file.file).name, test=test,
        checkpoint=folder / "best.safetensors", report=write_report(folder), folder=folder,
    )  # fmt: skip


def _remarks() -> "FitWatch":
    """Lines on the error stream, and no bars."""
    from triscale.shipping.fit_watch import SilentFit  # noqa: PLC0415

    class Remarks(SilentFit):
        def say(self, text: str) -> None:
            print(f"triscale: {text}", file=sys.stderr)

    return Remarks()
