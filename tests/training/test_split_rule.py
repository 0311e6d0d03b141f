"""A run trains and validates on the split of its rule, and keeps that rule when it goes on."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.pictures import class_folders
from tests.training.trainings import RECIPE, Heard, job_of, kept, only, request, run
from triscale.data import CheckOptions, SplitRule, open_data
from triscale.errors import InputError, UsageError
from triscale.training import Interrupted
from triscale.training.supply import feeds_of
from triscale.trials import RECORDS, VALIDATION

FIRST = SplitRule(version=1)
NEAR = SplitRule(group_by="near")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Class folders in which every image lies twice."""
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    root = class_folders(tmp_path / "data", count=16)
    for file in sorted(root.rglob("*.png")):
        shutil.copy(file, file.with_name(f"{file.stem} (1).png"))
    return root


def test_the_rule_stands_in_the_job_of_its_trial_and_in_its_checkpoint(tmp_path: Path, data: Path) -> None:
    used = run(request(data), tmp_path / "run").job.data
    assert (used.rule, used.group_by, used.seed) == (2, "content", 1)
    assert only(tmp_path / "run").job.data == used
    known = kept(tmp_path / "run").trained_on
    assert known is not None
    assert (known.version, known.group_by, known.seed) == (2, "content", 1)


def test_a_checkpoint_answers_for_the_same_whatever_it_says_of_its_split(tmp_path: Path, data: Path) -> None:
    for rule in (SplitRule(), NEAR):
        run(request(data, policy=CheckOptions(split=rule)), tmp_path / rule.group_by)
    one, other = (kept(tmp_path / rule.group_by) for rule in (SplitRule(), NEAR))
    assert one.trained_on != other.trained_on
    assert one.digest == other.digest, "small images have no near copies, so that they learn the same"


def test_a_training_of_the_first_rule_resumes_with_it(tmp_path: Path, data: Path) -> None:
    """That of version 0.1.0: its split has copies on both sides, and stays what it was."""
    with pytest.raises(Interrupted):
        run(request(data, policy=CheckOptions(split=FIRST)), tmp_path / "run", Heard(stop_after=2))
    known = only(tmp_path / "run").job
    assert known.data.rule == 1
    source = request(data).inputs(known).source
    assert source.rule == FIRST
    part = source.parts["train"]
    split = source.training_split(seed=1)
    assert {part.digests[one] for one in split.training} & {part.digests[one] for one in split.validation}
    resumed = run(request(data), tmp_path / "run")
    assert (
        resumed.metrics[VALIDATION]
        == run(request(data, policy=CheckOptions(split=FIRST)), tmp_path / "whole").metrics[VALIDATION]
    )
    with pytest.raises(UsageError, match="rule 1"):
        run(request(data, policy=CheckOptions(split=NEAR)), tmp_path / "run")


def test_another_grouping_is_another_training(tmp_path: Path, data: Path) -> None:
    run(request(data), tmp_path / "run")
    with pytest.raises(InputError, match=r"another training \(split\)") as caught:
        run(request(data, policy=CheckOptions(split=NEAR)), tmp_path / "run")
    assert "split: rule 2 by content, seed 1 then, rule 2 by near, seed 1 now" in str(caught.value)


def test_a_rule_of_a_later_version_is_refused(tmp_path: Path, data: Path) -> None:
    run(request(data), tmp_path / "run")
    path = tmp_path / "run" / RECORDS
    path.write_text(path.read_text().replace('"rule":2', '"rule":9'))
    with pytest.raises(InputError, match="knows no rule of splits"):
        run(request(data), tmp_path / "run")


@pytest.mark.parametrize("crop", ["shift", "random"])
def test_a_val_beside_a_test_is_validated_on_and_all_of_training_is_trained_on(
    tmp_path: Path, data: Path, crop: str
) -> None:
    root = tmp_path / "three"
    for split, colour in (("train", None), ("val", 255), ("test", 0)):
        for label in ("0", "1"):
            (root / split / label).mkdir(parents=True)
            for index in range(6):
                target = root / split / label / f"{index}.png"
                if colour is None:
                    shutil.copy(data / label / f"{index}.png", target)
                else:
                    Image.new("RGB", (10, 10), (colour, index, int(label))).save(target)
    recipe = replace(RECIPE, crop="random" if crop == "random" else "shift", shift=0.0, batch=4)
    question = request(root, recipe=recipe)
    source = open_data(str(root))
    job = job_of(question)
    feed, validation = feeds_of(job, source, question.inputs().preprocessing(job), 0, lambda *_: None)
    assert feed.steps * 4 == len(source.labels("train")) == 12
    batches = list(validation(5))
    assert sum(len(labels) for _, labels in batches) == 12
    brightest = max(float(images[:, 0].min()) for images, _ in batches)
    assert brightest == min(float(images[:, 0].max()) for images, _ in batches), "red is 255 everywhere in val"
    assert np.concatenate([labels.numpy() for _, labels in batches]).tolist() == [0] * 6 + [1] * 6
