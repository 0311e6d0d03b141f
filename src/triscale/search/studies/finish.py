"""The end of a study: the test, the network to take, the answer."""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean

from triscale.data import Source
from triscale.errors import InputError
from triscale.explanation import score_maps, write_cam_grid
from triscale.search.decisions.trial_scores import scores_of
from triscale.search.studies.answer import answer_lines
from triscale.search.trainings.best_files import are_there, write_best
from triscale.spec import content_hash
from triscale.trials import TEST, VALIDATION, Stored, Trial, TrialStore
from triscale.trials.study_records import AnswerRecord, CamRecord, MemberRecord, PlanRecord
from triscale.weights import Classifier

_IMAGES_IN_GRID = 6
_SCORED, _STEPS = 24, 16
"""Images whose maps are scored, and steps of deletion and of insertion."""
_MOST_MACS = 1e12
"""Of scoring a network's maps and their shuffled copies; a large network scores fewer images, but those of the grid."""


def untested(stored: Stored, members: Sequence[MemberRecord]) -> list[Trial]:
    """The finished trials of the family that have no test accuracy yet."""
    ids = {one.id for one in members}
    return [
        one for one in stored
        if one.state == "done" and TEST not in one.metrics and content_hash(one.network) in ids
    ]  # fmt: skip


def shown(stored: Stored, members: Sequence[MemberRecord], plan: PlanRecord) -> list[tuple[MemberRecord, Trial]]:
    """The members whose activation maps are drawn, the baseline and those of the largest phi, with a trial of each."""
    last = max(one.phi for one in members)
    trials = {
        content_hash(one.network): one
        for one in stored
        if one.seed == plan.seeds[0] and one.epochs == plan.epochs and one.state == "done"
    }
    wanted = {one.id: one for one in members if one.phi in (0, last)}
    return [(member, trials[known]) for known, member in wanted.items() if known in trials]


def draw_maps(
    store: TrialStore,
    source: Source,
    members: Sequence[MemberRecord],
    plan: PlanRecord,
    classifier: Callable[[Trial], Classifier],
) -> None:
    """Draw and score the class activation maps of the members that are shown, and record them."""
    drawn = shown(store, members, plan)
    models = [(member.rule, member.id, classifier(trial)) for member, trial in drawn]
    pictures = write_cam_grid(store.folder, source, models, _IMAGES_IN_GRID)
    focus = score_maps(source, models, scored_images(max(member.cost["macs"] for member, _ in drawn)), _STEPS)
    store.add(CamRecord(pictures=tuple(pictures), focus=tuple(focus), steps=_STEPS))


def scored_images(macs: float) -> int:
    """How many images have their maps scored, where the largest network costs `macs` an image."""
    return max(_IMAGES_IN_GRID, min(_SCORED, int(_MOST_MACS / (4 * (_STEPS + 1) * macs))))


def best_member(stored: Stored, members: Sequence[MemberRecord], plan: PlanRecord) -> tuple[MemberRecord, Trial]:
    """The member of the largest phi with the best mean on validation, and its best trial.

    Raises:
        InputError: every training of these failed.
    """
    scores, last = scores_of(stored, VALIDATION, plan.epochs), max(one.phi for one in members)
    possible = [one for one in members if one.phi == last and one.id in scores]
    if not possible:
        raise InputError(f"every training of the networks at phi {last:g} failed; give a smaller phi or budget.")
    best = max(possible, key=lambda one: mean(scores[one.id].values()))
    return best, _best_trial(stored, best.id, plan)


def _best_trial(stored: Stored, id_: str, plan: PlanRecord) -> Trial:
    """The trial of a network with the best validation accuracy, of those of the plan's length."""
    scores = scores_of(stored, VALIDATION, plan.epochs)[id_]
    seed = max(scores, key=lambda one: scores[one])
    return next(
        one for one in stored
        if one.seed == seed and one.epochs == plan.epochs and content_hash(one.network) == id_
    )  # fmt: skip


def write_answer(store: TrialStore, best: MemberRecord, checkpoint: Path) -> None:
    """The weights and the spec of the network to take, and the answer in lines."""
    write_best(store, best.id, checkpoint)
    store.add(AnswerRecord(lines=answer_lines(store, best, str(store.folder)), best=best.id))


def restore_answer(store: TrialStore, answer: AnswerRecord, plan: PlanRecord) -> None:
    """The weights and the spec of an answer, where they are gone; the answer itself stays."""
    if not are_there(store.folder):
        trial = _best_trial(store, answer.best, plan)
        write_best(store, answer.best, store.folder / str(trial.checkpoint))
