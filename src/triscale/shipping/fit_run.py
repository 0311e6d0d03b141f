"""`fit`: from images and limits to a file that keeps them, in one folder.

Each step reads the store, does what is missing and appends: a fit that was interrupted resumes, and one that has its
answer gives it again. Weights, epochs and the larger network are decided without the test, which is looked at last.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from triscale.costs import count
from triscale.deploy import kind_of, require_libraries
from triscale.errors import InputError
from triscale.search.trainings.first_record import begun, data_facts, image_counts, known_in
from triscale.search.trainings.image_policy import policy_of
from triscale.search.trainings.work import absolute, opened
from triscale.shipping.baseline_choice import weights_from
from triscale.shipping.fit_answer import answer_lines
from triscale.shipping.fit_folder import cleared, refuse_another, require_place
from triscale.shipping.fit_length import SAFE, larger_epochs
from triscale.shipping.fit_planning import Planner, planned_lines
from triscale.shipping.fit_question import FitQuestion
from triscale.shipping.fit_trainings import ANSWER, LARGER, FitTrainings, done
from triscale.shipping.fit_watch import FitWatch, SilentFit
from triscale.shipping.shipped_file import shipped, tested
from triscale.spec import Network
from triscale.trials import Execution, Numerics, Stored, Trial, TrialStore, read
from triscale.trials.fits.fit_records import FitPlanRecord, FitRecord, LargerRecord
from triscale.trials.study_records import AnswerRecord
from triscale.units import agreeing


class FitRun:
    """A fit in its folder.

    Args:
        question: what is wanted.
        folder: of the fit alone; the same question in it resumes.
        numerics: on what it computes.
        execution: how the trainings are carried out.
        watch: receives the progress.
        given: options of the command line beside question and folder, such as `threads`, for the command that resumes.
    """

    def __init__(
        self,
        question: FitQuestion,
        folder: Path,
        *,
        numerics: Numerics,
        execution: Execution,
        watch: FitWatch | None = None,
        given: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        self._began = time.monotonic()
        self.question, self.folder, self.watch = question, folder, watch or SilentFit()
        self._numerics, self._execution, self._given = numerics, execution, {"out": folder, **given}
        require_place(folder)
        if question.form is not None:
            require_libraries(kind_of(Path(question.file)))  # before hours of training
        refuse_another(question, folder)
        policy = policy_of(question, folder)
        self._trainings = FitTrainings(
            source=opened(question.data, policy, afresh=True), data=absolute(question.data), policy=policy,
            weights=None, seed=question.seed, train_size=question.train_size, numerics=numerics, execution=execution,
            watch=self.watch,
        )  # fmt: skip

    def run(self) -> Stored:
        """Do what is missing; the records of the whole fit.

        Raises:
            UsageError: words that contradict each other, or an unknown name.
            InputError: another fit is in the folder, no network keeps the limits, the time is too short, or weights or
                images cannot be used.
            BusyError, NumericError, OutOfMemoryError, OutputError, StorageError: as their names say.
            Interrupted: the watch wants to stop; the same call resumes.
        """
        with cleared(self.question, self.folder), TrialStore(self.folder) as store:
            self._begin(store)
            plan = store.one(FitPlanRecord) or self._planner.write(store)
            answer = self._answer(store, plan)
            self._larger(store, plan, answer)
            file = shipped(store, self.question, plan, answer, self.watch.say)
            tested(store, self.question.data, file)
            if store.one(AnswerRecord) is None:
                store.add(AnswerRecord(lines=answer_lines(store, str(self.folder)), best=plan.network))
        return read(self.folder)

    @cached_property
    def _planner(self) -> Planner:
        return Planner(question=self.question, trainings=self._trainings, watch=self.watch, began=self._began)

    def _with_weights(self, plan: FitPlanRecord) -> FitTrainings:
        """Those of the plan, whatever is installed since; loaded only where something is trained."""
        if plan.weights is None or self._trainings.weights is not None:
            return self._trainings
        found = weights_from(plan.weights, plan.weights_network, allow_pth=self.question.allow_pth)
        self._trainings = replace(self._trainings, weights=found)
        return self._trainings

    def _begin(self, store: TrialStore) -> None:
        """The first record, or what changed since then."""
        source, asked = self._trainings.source, self.question
        known, hash_ = store.one(FitRecord), asked.hash(source.fingerprint, asked.network)
        counts = image_counts(source, asked)
        if known is not None and known.data.fingerprint != source.fingerprint and store.one(FitPlanRecord):
            raise InputError(
                f"{self.folder} holds a fit on other images: {known.data.train:,} to train on then, "
                f"{counts['train']:,} now, or other contents.\nUse another --out."
            )
        replaced = known is not None and known.question_hash != hash_ and not store.one(FitPlanRecord)
        if replaced or known_in(store, FitRecord, hash_, source, self._numerics, self.watch.say) is None:
            store.add(begun(FitRecord, asked, hash_, data_facts(source, counts), self._numerics, 1, self._given))

    def _answer(self, store: TrialStore, plan: FitPlanRecord) -> Trial:
        known, network = done(store, ANSWER), _network(store, plan.network)
        if known is not None:
            return known
        for line in planned_lines(plan, network):
            self.watch.say(line)
        return self._with_weights(plan).trained(store, ANSWER, network, plan.recipe)

    def _larger(self, store: TrialStore, plan: FitPlanRecord, answer: Trial) -> None:
        """The network of twice the cost, if it is wanted and there is time."""
        decided = store.one(LargerRecord)
        if decided is None:
            decided = self._decided(store, plan, answer)
            store.add(decided)
        if decided.epochs == 0 or plan.larger is None or done(store, LARGER) is not None:
            return
        network = _network(store, plan.larger)
        self.watch.say(f"training {network.name}, of twice the cost, to see what the limit costs: {decided.reason}")
        recipe = replace(plan.recipe, epochs=decided.epochs)
        self._with_weights(plan).trained(store, LARGER, network, recipe)

    def _decided(self, store: TrialStore, plan: FitPlanRecord, answer: Trial) -> LargerRecord:
        """By the seconds that the answer's training took, and the larger network's MACs."""
        if plan.larger is None:
            return LargerRecord(epochs=0, reason=_not_wanted(self.question, plan))
        epochs = plan.recipe.epochs
        if self.question.epochs is not None or self.question.time is None:
            return LargerRecord(epochs=epochs, reason=f"{epochs} epochs, as of the answer")
        ratio = _macs(store, plan.larger) / _macs(store, plan.network)
        epoch = ratio * answer.metrics["seconds"] / epochs
        left = self.question.time - plan.spent - answer.metrics["seconds"]
        possible = larger_epochs(left, epochs, epoch)
        if possible == 0:
            needed = math.ceil((epoch * epochs / SAFE + answer.metrics["seconds"] + plan.spent) / 60)
            reason = f"the time was too short; --time {needed}m with another --out would do"
            return LargerRecord(epochs=0, reason=reason)
        return LargerRecord(epochs=possible, reason=f"{possible} of {agreeing(epochs, 'epoch', 'epochs')}")


def _not_wanted(question: FitQuestion, plan: FitPlanRecord) -> str:
    if question.no_comparison:
        return "--no-comparison was given"
    if not any(one.binds for one in plan.limits):
        return "no limit binds"
    return "the time was too short for a network of twice the cost beside the answer"


def _network(stored: Stored, id_: str) -> Network:
    found = stored.network(id_)
    if not isinstance(found, Network):
        raise InputError(
            "the records name Python code, which a fit never does; the file was changed: use another --out."
        )
    return found


def _macs(stored: Stored, id_: str) -> int:
    return count(_network(stored, id_)).macs
