"""The rivals of a study, once its baseline is trained: `resnet_rs` depends on whether that overfits."""

from collections.abc import Callable
from dataclasses import replace
from statistics import mean

import numpy as np
import torch

from triscale.data import Source
from triscale.data.chosen import chosen
from triscale.data.feed.in_memory import to_tensor
from triscale.data.source import Part, rendered
from triscale.evaluation import count_correct
from triscale.search.coefficients.rivals import RESNET_RS, Rival, overfits, rivals_of
from triscale.search.decisions.trial_scores import scores_of
from triscale.search.studies.question import Question
from triscale.spec import content_hash
from triscale.trials import TRAINING, VALIDATION, Trial, TrialStore
from triscale.trials.study_records import PlanRecord
from triscale.weights import Classifier

_MOST_IMAGES = 2_000


def rivals_in(
    store: TrialStore,
    question: Question,
    plan: PlanRecord,
    source: Source,
    classifier: Callable[[Trial], Classifier],
    say: Callable[[str], None],
) -> tuple[Rival, ...]:
    """The rivals that the question names; the baseline's accuracy on training images is measured where one needs it.

    Args:
        store: of the study, with trained baselines.
        question, plan, source: of the study.
        classifier: what a trial trained.
        say: hears what was measured.
    """
    names = question.rival_names
    return rivals_of(names, overfitted=RESNET_RS in names and _overfits(store, question, plan, source, classifier, say))


def _overfits(
    store: TrialStore,
    question: Question,
    plan: PlanRecord,
    source: Source,
    classifier: Callable[[Trial], Classifier],
    say: Callable[[str], None],
) -> bool:
    baseline = plan.baseline.id
    part = _trained_on(source, question.seed, plan.train_size)
    for trial in list(store):
        ended = trial.state == "done" and trial.epochs == plan.epochs and content_hash(trial.network) == baseline
        if ended and TRAINING not in trial.metrics:
            accuracy = training_accuracy(classifier(trial), part)
            store.put(replace(trial, metrics={**trial.metrics, TRAINING: accuracy}))
    trained, validated = (scores_of(store, metric, plan.epochs).get(baseline, {}) for metric in (TRAINING, VALIDATION))
    if not trained:
        return False
    training, validation = mean(trained.values()), mean(validated[seed] for seed in trained)
    found = overfits(training, validation)
    say(
        f"the baseline classifies {training:.1%} of training and {validation:.1%} of validation images correctly: "
        f"{RESNET_RS} scales the {'depth' if found else 'width'}"
    )
    return found


def _trained_on(source: Source, seed: int, train_size: int) -> Part:
    """The images that the trainings saw, or 2,000 of them spread evenly."""
    positions = np.sort(source.training_split(train_size=train_size, seed=seed).training)
    return chosen(source.parts["train"], positions[:: -(-len(positions) // _MOST_IMAGES)])


def training_accuracy(classifier: Classifier, part: Part) -> float:
    """Top-1 on the images of a part, prepared as for a test: without augmentation."""
    how, labels, right, seen = classifier.preprocessing, part.labels, 0, 0
    for block in rendered(part, classifier.resolution, how):
        batch = to_tensor(block, how.mean, how.std), torch.from_numpy(labels[seen : seen + len(block)])
        right += count_correct(classifier.model, [batch])[0]
        seen += len(block)
    return right / seen
