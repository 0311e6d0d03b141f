"""A study whose rivals are named: what it trains beside the family, and what it measures for `resnet_rs`."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.search.studies import SMALL, study
from tests.training.pictures import class_folders
from triscale import evaluate
from triscale.errors import UsageError
from triscale.search.coefficients.rivals import overfits
from triscale.search.studies.question import Question
from triscale.spec import content_hash
from triscale.trials import TRAINING, VALIDATION, read
from triscale.trials.study_records import AnswerRecord, FamilyRecord, PlanRecord


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """A study of named rivals on images with a validation part of their own, and these images."""
    root = tmp_path_factory.mktemp("rivals")
    for split, count in (("train", 12), ("val", 8), ("test", 8)):
        class_folders(root / "data" / split, count=count)
    question = replace(SMALL, data=str(root / "data"), train_size=None, rivals="resnet_rs, width,fast")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRISCALE_CACHE", str(root / "cache"))
        study(question, root / "study").run()
        yield root / "study", root / "data"


def test_a_study_trains_the_rivals_that_it_was_asked_for(named: tuple[Path, Path]) -> None:
    stored = read(named[0])
    family, plan, answer = stored.one(FamilyRecord), stored.one(PlanRecord), stored.one(AnswerRecord)
    assert family is not None
    assert plan is not None
    assert answer is not None
    rules = [one.rule for one in family.members]
    assert rules[:4] == ["baseline", "compound", "width", "fast_compound"]
    assert rules[4] in ("resnet_rs_depth", "resnet_rs_width")
    assert {one.id for one in family.members} <= {content_hash(one.network) for one in stored}
    assert abs(len(stored) - plan.trainings) <= 1, "the plan has stand-ins for the choice and for resnet_rs"


def test_training_accuracy_is_that_of_evaluate_and_decides_between_depth_and_width(named: tuple[Path, Path]) -> None:
    stored = read(named[0])
    measured = [one for one in stored if TRAINING in one.metrics]
    family, plan = stored.one(FamilyRecord), stored.one(PlanRecord)
    assert family is not None
    assert plan is not None
    assert [(content_hash(one.network), one.epochs) for one in measured] == [(plan.baseline.id, plan.epochs)]
    metrics = measured[0].metrics
    theirs = evaluate(named[0] / str(measured[0].checkpoint), named[1], split="train")
    assert metrics[TRAINING] == theirs.top1
    wanted = "resnet_rs_depth" if overfits(metrics[TRAINING], metrics[VALIDATION]) else "resnet_rs_width"
    assert family.members[4].rule == wanted


def test_rivals_are_part_of_the_question_but_for_the_usual_ones() -> None:
    """Studies that were begun before rivals had names keep their hash, and so their folders."""
    plain, named = Question(), Question(rivals="width,depth, fast")
    assert plain.rivals == "depth,width,resolution,paper"
    assert named == Question(rivals="depth,fast_compound,width")
    assert plain.hash("data", "network") == Question(rivals="compound,depth,width,resolution").hash("data", "network")
    assert named.hash("data", "network") != plain.hash("data", "network")
    assert "--rivals depth,width,fast_compound" in named.command()
    assert "--rivals" not in plain.command()


def test_a_rival_that_only_shrinks_needs_a_budget() -> None:
    with pytest.raises(UsageError, match=r"^the rival tinynet only shrinks a network: give it with a --budget below"):
        Question(rivals="tinynet")
    assert Question(rivals="tinynet", budget={"macs": 1e6}).rival_names == ("tinynet",)
