"""`triscale evaluate`."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run
from triscale import trials
from triscale.trials.study_records import AnswerRecord

KEYS = {"n", "top1", "top5", "top1_interval"}


def test_evaluate_has_the_shape_that_scripts_rely_on(run: Run, studied: Path, pictures: Path) -> None:
    answer = run("evaluate", studied, "--data", pictures, "--json")
    found = answer.json
    assert found.keys() > KEYS
    assert (found["n"], found["split"], found["top5"]) == (16, "test", None)
    low, high = found["top1_interval"]
    assert 0 <= low <= found["top1"] <= high <= 1
    assert [row["name"] for row in found["classes"]] == ["green", "red"]
    assert sum(map(sum, found["confusion"])) == 16
    assert answer.err == ""


def test_evaluate_agrees_with_the_test_of_the_study(run: Run, studied: Path, pictures: Path) -> None:
    stored = trials.read(studied)
    answer = stored.one(AnswerRecord)
    assert answer is not None
    accuracies = {one.metrics.get("test_top1") for one in stored.by_network()[answer.best]}
    assert run("evaluate", studied, "--data", pictures, "--json").json["top1"] in accuracies


def test_evaluate_prints_a_table_with_intervals(run: Run, studied: Path, pictures: Path) -> None:
    lines = run("evaluate", studied, "--data", pictures).out.splitlines()
    assert "(test): 16 images, top-1" in lines[0]
    assert lines[1].split() == ["class", "images", "top-1"]
    assert [line.split()[0] for line in lines[2:4]] == ["green", "red"]


def test_what_was_used_in_training_is_told_first(run: Run, studied: Path, pictures: Path) -> None:
    used = run("evaluate", studied, "--data", pictures, "--split", "train", "--json").json["seen_in_training"]
    assert 40 < used["used"] <= used["images"] == used["evaluated"]
    lines = run("evaluate", studied, "--data", pictures, "--split", "all").out.splitlines()
    counts = f"{used['images'] + 16} images, of which {used['used']} were used in training or for choosing the epoch"
    assert lines[0] == f"{counts}; evaluating all {used['images'] + 16}."
    assert run("evaluate", studied, "--data", pictures, "--json").json["seen_in_training"]["used"] == 0


def test_evaluate_writes_a_picture_and_the_numbers(run: Run, studied: Path, pictures: Path, tmp_path: Path) -> None:
    answer = run("evaluate", studied, "--data", pictures, "--out", tmp_path / "new" / "place", "--json")
    assert json.loads((tmp_path / "new" / "place" / "evaluation.json").read_text()) == answer.json
    with Image.open(tmp_path / "new" / "place" / "confusion.png") as picture:
        assert min(picture.size) > 100
        assert len(picture.convert("RGB").getcolors(2**24) or ()) > 10


def test_an_output_that_cannot_be_created_is_found_before_any_work(
    run: Run, studied: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("triscale.api.evaluate", lambda *_, **__: pytest.fail("worked first"))
    answer = run("evaluate", studied, "--data", pictures, "--out", tmp_path / "file" / "x")
    assert (answer.code, answer.out) == (73, "")


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("--data", "nowhere"), 65, "nowhere"),
        (("--data", "flowers:48"), 65, "12 classes"),
        (("--data", "flowers:3"), 65, "3"),
        (("--data", "DATA", "--split", "dev"), 64, "dev"),
        (("--data", "DATA", "--split", "val"), 65, "no val"),
        (("--data", "DATA", "--batch", "0"), 64, "--batch"),
        (("--data", "DATA", "--device", "tpu"), 64, "tpu"),
        (("--data", "DATA", "--interpolation", "bicubic"), 65, "override interpolation=bicubic"),
        (("--data", "DATA", "--resolution", "100"), 65, "override resolution=100x100"),
        (("--data", "DATA", "--crop", "0.5"), 65, "override crop=0.5"),
        (("--data", "DATA", "--interpolation", "cubic"), 64, "bicubic"),
        (("--data", "DATA", "--crop", "x"), 64, "crop"),
        (("--data", "DATA", "--crop", "nan"), 64, "crop"),
        (("--data", "DATA", "--override", "size=3"), 64, "size"),
        (("--data", "DATA", "--override", "crop"), 64, "NAME=VALUE"),
        (("--data", "DATA", "--override", "crop=1", "--override", "crop=0.9"), 64, "twice"),
        (("--data", "DATA", "--override", "mean=0.5"), 65, "mean"),
        (("--data", "DATA", "--override", "std=0,0,0"), 65, "std"),
        ((), 64, "data"),
    ],
)
def test_a_mistake_is_told_in_few_lines(
    run: Run, studied: Path, pictures: Path, arguments: tuple[str, ...], code: int, word: str
) -> None:
    answer = run("evaluate", studied, *(str(pictures) if word == "DATA" else word for word in arguments), "--json")
    assert (answer.code, answer.out) == (code, "")
    assert word in answer.err
    assert len(answer.err.splitlines()) <= 3


def test_no_weights_at_all_is_a_usage_error(run: Run, pictures: Path) -> None:
    assert run("evaluate", "--data", pictures).code == 64
    answer = run("evaluate", "--network", "efficientnet_b0", "--data", pictures)
    assert answer.code == 64
    assert "no weights for efficientnet_b0" in answer.err


def test_an_override_changes_the_answer_and_is_told(run: Run, studied: Path, pictures: Path) -> None:
    own = run("evaluate", studied, "--data", pictures, "--json").json
    other = run("evaluate", studied, "--data", pictures, "--override", "interpolation=nearest", "--json").json
    assert own["overridden"] == {}
    assert other["overridden"] == {"interpolation": {"used": "nearest", "weights": "area"}}
    assert (own["preprocessing"]["interpolation"], other["preprocessing"]["interpolation"]) == ("area", "nearest")
    text = run("evaluate", studied, "--data", pictures, "--override", "interpolation=nearest").out
    assert text.startswith("overridden: interpolation nearest (the weights: area)\n")


def test_among_several_processes_it_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would count all images, and all would print."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    answer = run("evaluate", "nothing", "--data", "flowers:240")
    assert (answer.code, "without torchrun" in answer.err) == (64, True)
