"""The file of a fit: exported with its proof, and tested on images that decided nothing."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from triscale.deploy import AutoRequest, Export, export, export_fastest, load_exported
from triscale.deploy.precision.accuracy_gate import drop_between
from triscale.errors import StorageError
from triscale.evaluation import evaluate
from triscale.scores import Evaluation
from triscale.search.trainings.best_files import write_best
from triscale.shipping.fit_planning import refuse_broken_limit
from triscale.shipping.fit_question import FitQuestion, file_in
from triscale.shipping.fit_trainings import LARGER, done, weights_of
from triscale.shipping.rehearsal import FILE_SIZE
from triscale.trials import Trial, TrialStore
from triscale.trials.fits.fit_records import ClassScore, FitPlanRecord, FitTestRecord, LargerScore, ShippedRecord
from triscale.weights import Classifier, load_classifier
from triscale.weights.predictor import Predictor


def shipped(
    store: TrialStore, question: FitQuestion, plan: FitPlanRecord, trial: Trial, say: Callable[[str], None]
) -> ShippedRecord:
    """Export the weights of a trial, unless the file is there as it was written; `say` hears of a choice of formats.

    Raises:
        InputError, NumericError, OutputError, StorageError: see `triscale.deploy.export`.
    """
    known = store.one(ShippedRecord)
    if known is not None and is_intact(store.folder, known):
        return known
    checkpoint = weights_of(store.folder, trial)
    write_best(store, plan.network, checkpoint)
    made = _exported(load_classifier(checkpoint), store.folder / question.file, question.form, say)
    refuse_broken_limit(plan, FILE_SIZE, sum(made.files.values()))
    record = ShippedRecord(
        file=next(iter(made.files)).name,
        files={path.name: size for path, size in made.files.items()},
        sha256={path.name: _digest(path) for path in made.files},
        proof=str(made.proof),
        runtime=made.proof.runtime,
        choice=made.choice.why if made.choice else None,
    )
    store.add(record)
    return record


def _exported(classifier: Classifier, out: Path, form: str | None, say: Callable[[str], None]) -> Export:
    """The file of a format, or the fastest of all that can be made."""
    if form is not None:
        return export(classifier, out, kind=form)
    return export_fastest(classifier, AutoRequest(place=out), say)


def is_intact(folder: Path, record: ShippedRecord) -> bool:
    """Whether the files are there, with the bytes that were written."""
    return all(
        (path := file_in(folder, name)).is_file() and _digest(path) == sha256 for name, sha256 in record.sha256.items()
    )


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}.") from None


def tested(store: TrialStore, data: str, record: ShippedRecord) -> FitTestRecord:
    """Test the file, as `triscale evaluate` does, and the network of twice the cost on the same images.

    Raises:
        InputError: no image is left that decided nothing.
    """
    if (known := store.one(FitTestRecord)) is not None:
        return known
    found = evaluate(load_exported(file_in(store.folder, record.file)), data)
    trial = done(store, LARGER)
    larger = None if trial is None else _larger(found, load_classifier(weights_of(store.folder, trial)), data)
    right = _right(found)
    test = FitTestRecord(
        split=str(found.about["split"]),
        images=found.n,
        correct=int(right.sum()),
        classes=tuple(
            ClassScore(
                name=name, images=int((found.labels == label).sum()), correct=int(right[found.labels == label].sum())
            )
            for label, name in enumerate(found.classes)
        ),
        larger=larger,
    )
    store.add(test)
    return test


def _larger(answer: Evaluation, classifier: Predictor, data: str) -> LargerScore:
    found = evaluate(classifier, data)
    change = drop_between(_right(answer), _right(found))
    return LargerScore(correct=change.after, gained=change.gained, lost=change.lost)


def _right(found: Evaluation) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    right: np.ndarray[tuple[int], np.dtype[np.bool_]] = found.ranked[:, 0] == found.labels
    return right
