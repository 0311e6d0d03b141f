"""The plan of a fit: baseline, network, recipe and epochs; decided once, and written down before any training."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from triscale.costs import Target, metric_named
from triscale.errors import InputError
from triscale.latency.latency_metric import LATENCY, is_clocked
from triscale.latency.limited_on import limited_on
from triscale.latency.predictor import calibrate, calibration
from triscale.shipping.baseline_choice import Baseline, baseline_for, keeps
from triscale.shipping.fit_length import Images, Length, length_within, seconds_per_image, suited
from triscale.shipping.fit_question import FitQuestion
from triscale.shipping.fit_trainings import FitTrainings
from triscale.shipping.fit_watch import FitWatch
from triscale.shipping.rehearsal import FILE_SIZE, Rehearsal, Rehearse, rehearsal
from triscale.shipping.within_limits import Limited, Solver
from triscale.spec import Network, content_hash
from triscale.training import trained_on
from triscale.trials import TrialStore
from triscale.trials.fits.fit_records import FitPlanRecord, LimitRecord
from triscale.trials.study_records import CoefficientsRecord, FactorsRecord
from triscale.units import duration, memory


@dataclass(frozen=True, kw_only=True, slots=True)
class Planner:
    """Makes the plan of a fit.

    Attributes:
        question: what is wanted.
        trainings: with the images, and without weights.
        watch: receives the progress.
        began: when its time did, as `time.monotonic` says.
    """

    question: FitQuestion
    trainings: FitTrainings
    watch: FitWatch
    began: float

    @property
    def target(self) -> Target:
        """What the limits are of."""
        return limited_on(self.question.budget, self.question.limited_on, calibrated=False)

    def write(self, store: TrialStore) -> FitPlanRecord:
        """Find the network and write the plan down; what measuring latency takes is no part of the fit's time."""
        before, clocked = time.monotonic(), is_clocked(self.question.budget)
        if clocked:
            self._calibrate(self.target.engine or self.target)
        baseline = baseline_for(self.question, self.trainings.source, keeps(self.question.budget, self.target))
        limited = self._limited(baseline)
        began = self.began + (time.monotonic() - before if clocked else 0.0)
        return replace(self, began=began).written(store, baseline, limited)

    def written(self, store: TrialStore, baseline: Baseline, limited: Limited) -> FitPlanRecord:
        """The plan for a network, with recipe and epochs, once it is written down."""
        asked = self.question.recipe_for(begun=baseline.weights is not None)
        split = self.trainings.source.training_split(seed=self.question.seed, train_size=self.question.train_size)
        images = Images(split.training.size, split.validation.size)
        recipe = suited(asked, images.training)
        trainings = replace(self.trainings, weights=baseline.weights)
        length, per_epoch = self._length(trainings, limited, images)
        reasons = (*baseline.reasons, *limited.reasons)
        if recipe.batch != asked.batch:
            reasons += (f"The batch is {recipe.batch} instead of {asked.batch}, so that an epoch has several steps.",)
        plan = FitPlanRecord(
            baseline=content_hash(baseline.network), network=content_hash(limited.network), rule=limited.rule,
            phi=limited.phi, factors=FactorsRecord(**limited.factors._asdict()), reasons=reasons,
            limits=tuple(_limits(self.question.budget, limited)),
            weights=baseline.origin, weights_network=baseline.named,
            larger=content_hash(limited.larger) if limited.larger and length.compared else None,
            coefficients=limited.coefficients and CoefficientsRecord(**limited.coefficients._asdict()),
            latency=limited.latency.text() if limited.latency else None, seconds_per_epoch=per_epoch,
            recipe=replace(recipe, epochs=length.epochs), spent=round(time.monotonic() - self.began, 3),
        )  # fmt: skip
        store.add(plan, [one for one in (baseline.network, limited.network, limited.larger) if one is not None])
        return plan

    def _limited(self, baseline: Baseline) -> Limited:
        """The largest network within the limits."""
        source, target = self.trainings.source, self.target
        if is_clocked(self.question.budget):
            self.watch.say(f"searching by latency on {target.engine}; a minute or two, and --time begins after it")
        known = trained_on(source, seed=self.question.seed, train_size=self.question.train_size)
        with self.watch.measuring() as watch:
            solver = Solver(baseline, source.native, target, watch, self.question.rule)
            rehearse = rehearsal(Path(self.question.file), target, source.classes, known)
            return solver.within(self.question.budget, partial(self._rehearsed, rehearse))

    def _rehearsed(self, rehearse: Rehearse, network: Network, uses: Mapping[str, float]) -> Rehearsal:
        """What the file of a network does, with a line about it where that takes a while."""
        if LATENCY.name in uses:
            self.watch.say(f"exporting {network.name} untrained, to see what its file takes")
        return rehearse(network, uses)

    def _calibrate(self, target: Target) -> None:
        """Milliseconds are predicted on a target that was measured once."""
        try:
            calibration(target)
        except InputError:
            self.watch.say(
                f"calibrating {target}, once on this machine; it takes a minute or two, and --time begins later"
            )
            with self.watch.calibrating(str(target)) as watch:
                calibrate(target, watch=watch)

    def _length(self, trainings: FitTrainings, limited: Limited, images: Images) -> tuple[Length, float | None]:
        """The epochs, and the seconds of one where they were timed."""
        compare = not self.question.no_comparison and limited.larger is not None
        if self.question.epochs is not None:
            return Length(epochs=self.question.epochs, compared=compare), None
        recipe = suited(self.question.recipe_for(begun=trainings.weights is not None), images.training)
        self.watch.say(f"timing a few steps of {limited.network.name}")
        job = trainings.job(limited.network, recipe)
        per_image = seconds_per_image(job, trainings.inputs, trainings.numerics, trainings.execution)
        assert self.question.time is not None  # noqa: S101  the question has a time where it has no epochs
        spent = time.monotonic() - self.began
        length = length_within(self.question.time, spent, recipe, images, per_image, compare=compare)
        return length, round(per_image * images.passes, 3)


def planned_lines(plan: FitPlanRecord, network: Network) -> list[str]:
    """What will be done, in lines for people."""
    length = f"{plan.recipe.epochs} epochs"
    if plan.seconds_per_epoch is not None:
        length += f", about {duration(plan.recipe.epochs * plan.seconds_per_epoch)}"
    begins = "fresh weights" if plan.weights is None else "pretrained weights"
    return [*plan.reasons, f"training {network.name} from {begins}: {length}"]


def _limits(budget: Mapping[str, float], limited: Limited) -> list[LimitRecord]:
    return [
        LimitRecord(
            name=name, limit=limit, use=limited.uses[name], measured=name in (FILE_SIZE, LATENCY.name),
            binds=name in limited.binding,
        )
        for name, limit in budget.items()
    ]  # fmt: skip


def refuse_broken_limit(plan: FitPlanRecord, name: str, use: float) -> None:
    """InputError where the file of a trained network breaks a limit that was kept before its training."""
    limit = next((one.limit for one in plan.limits if one.name == name), None)
    if limit is not None and use > limit:
        show = memory if name == "file_size" else metric_named(name).unit.show
        raise InputError(f"the file breaks the limit on {name}: {show(use)} of {show(limit)}. Give a smaller limit.")
