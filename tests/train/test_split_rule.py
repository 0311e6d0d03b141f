"""A run trains and validates on the split of its rule, and keeps that rule when it goes on."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.train.pictures import class_folders
from tests.train.test_run import RECIPE, Silent, asked, run
from triscale.data import Policy, SplitRule, open_data
from triscale.errors import InputError, UsageError
from triscale.train import Interrupted, Run
from triscale.train.supply import feeds_of
from triscale.weights import load

FIRST = SplitRule(version=1)
NEAR = SplitRule(group_by="near")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Class folders in which every picture lies twice."""
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path / "cache"))
    root = class_folders(tmp_path / "data", count=16)
    for file in sorted(root.rglob("*.png")):
        shutil.copy(file, file.with_name(f"{file.stem} (1).png"))
    return root


def identity(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "run.json").read_text())["identity"]
    return found


def test_the_rule_stands_in_the_run_its_records_and_its_checkpoint(tmp_path: Path, data: Path) -> None:
    result = run(asked(data), tmp_path / "run")
    rule = {"version": 2, "group_by": "content"}
    assert identity(tmp_path / "run")["split"] == rule
    first = json.loads((tmp_path / "run" / "records.jsonl").read_text().splitlines()[0])
    assert first["data"]["split"] == rule
    known = load(result.checkpoint).trained_on
    assert known is not None
    assert (known.version, known.group_by, known.seed) == (2, "content", 1)


def test_a_checkpoint_answers_for_the_same_whatever_it_says_of_its_split(tmp_path: Path, data: Path) -> None:
    one, other = (
        load(run(asked(data, policy=Policy(split=rule)), tmp_path / rule.group_by).checkpoint)
        for rule in (SplitRule(), NEAR)
    )
    assert one.trained_on != other.trained_on
    assert one.digest == other.digest, "small pictures have no near copies, so that they learn the same"


def test_a_run_of_the_first_rule_goes_on_with_it(tmp_path: Path, data: Path) -> None:
    """What version 0.1.0 wrote names no rule: its split has copies on both sides, and stays what it was."""
    watch = Silent(stop_after=2)
    with pytest.raises(Interrupted):
        run(asked(data, policy=Policy(split=FIRST)), tmp_path / "run", watch)
    assert "split" not in identity(tmp_path / "run")
    going = Run(asked(data), tmp_path / "run", watch=Silent())
    assert going.source.rule == FIRST
    part = going.source.parts["train"]
    split = going.source.training_split(seed=1)
    assert {part.digests[one] for one in split.training} & {part.digests[one] for one in split.validation}
    whole = run(asked(data, policy=Policy(split=FIRST)), tmp_path / "whole")
    assert going.result().val_top1 == whole.val_top1
    with pytest.raises(UsageError, match="rule 1"):
        Run(asked(data, policy=Policy(split=NEAR)), tmp_path / "run", watch=Silent())


def test_another_grouping_is_another_training(tmp_path: Path, data: Path) -> None:
    run(asked(data), tmp_path / "run")
    with pytest.raises(InputError, match=r"another training \(split\)") as caught:
        run(asked(data, policy=Policy(split=NEAR)), tmp_path / "run")
    assert "split: rule 2 by content then, rule 2 by near now" in str(caught.value)


def test_a_rule_of_a_later_version_is_refused(tmp_path: Path, data: Path) -> None:
    run(asked(data), tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    path.write_text(path.read_text().replace('"version": 2', '"version": 9'))
    with pytest.raises(InputError, match="knows no rule of splits"):
        Run(asked(data), tmp_path / "run", watch=Silent())


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
    question = asked(root, recipe=recipe)
    source = open_data(str(root))
    going = Run(question, tmp_path / "run", watch=Silent())
    feed, validation = feeds_of(question, source, going.preprocessing, 0, lambda *_: None)
    assert feed.steps * 4 == len(source.labels("train")) == 12
    batches = list(validation(5))
    assert sum(len(labels) for _, labels in batches) == 12
    brightest = max(float(images[:, 0].min()) for images, _ in batches)
    assert brightest == min(float(images[:, 0].max()) for images, _ in batches), "red is 255 everywhere in val"
    assert np.concatenate([labels.numpy() for _, labels in batches]).tolist() == [0] * 6 + [1] * 6
