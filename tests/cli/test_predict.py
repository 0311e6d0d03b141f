"""`triscale predict`."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_predict_has_the_shape_that_scripts_rely_on(run: Run, studied: Path, pictures: Path) -> None:
    image = pictures / "test" / "red" / "0.png"
    (found,) = run("predict", studied, image, "--json").json
    assert found["image"] == str(image)
    assert sorted((row["class"], row["name"]) for row in found["top"]) == [(0, "green"), (1, "red")]
    assert [row["probability"] for row in found["top"]] == sorted(
        (r["probability"] for r in found["top"]), reverse=True
    )
    assert sum(row["probability"] for row in found["top"]) == pytest.approx(1)


def test_predict_takes_a_checkpoint_and_folders_and_patterns(run: Run, studied: Path, pictures: Path) -> None:
    folder, pattern = pictures / "test" / "red", pictures / "test" / "gr*" / "[01].png"
    by_run = run("predict", studied, folder, pattern, "--top", 1, "--json").json
    by_file = run("predict", studied / "best.safetensors", folder, pattern, "--top", 1, "--json").json
    assert by_run == by_file
    assert len(by_run) == 8 + 2
    assert all(len(one["top"]) == 1 for one in by_run)


def test_predict_agrees_with_the_tested_accuracy(run: Run, studied: Path, pictures: Path) -> None:
    """The same pictures through another door: the `test` record of the best network counts the same ones as right."""
    from triscale import records

    found = run("predict", studied, pictures / "test", "--top", 1, "--json").json
    right = sum(Path(one["image"]).parent.name == one["top"][0]["name"] for one in found)
    lines = records.read(studied / "records.jsonl")
    best = (lines.one("answer") or {})["best"]
    assert right in {one["correct"] for one in lines.all("test") if one["id"] == best}


def test_a_bad_picture_among_good_ones_is_named_and_left_out(run: Run, studied: Path, pictures: Path) -> None:
    good, bad = pictures / "test" / "red" / "0.png", Path(__file__)
    answer = run("predict", studied, bad, good, pictures / "none.png", "--json")
    assert answer.code == 0
    assert [one["image"] for one in answer.json] == [str(good)]
    assert bad.name in answer.err
    assert "none.png" in answer.err
    assert len(answer.err.splitlines()) == 2


def test_no_readable_picture_at_all_is_wrong_input(run: Run, studied: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for image in (__file__, tmp_path / "none.png", tmp_path / "empty", tmp_path / "*.jpg"):
        answer = run("predict", studied, image, "--json")
        assert (answer.code, answer.out) == (65, ""), image
        assert len(answer.err.splitlines()) <= 3


@pytest.mark.parametrize("wrong", ["missing", "empty folder", "cut", "another file"])
def test_what_is_no_checkpoint_is_wrong_input(
    run: Run, studied: Path, pictures: Path, tmp_path: Path, wrong: str
) -> None:
    place = tmp_path / "weights.safetensors"
    if wrong == "empty folder":
        place.mkdir()
    elif wrong == "cut":
        whole = (studied / "best.safetensors").read_bytes()
        place.write_bytes(whole[: len(whole) // 2])
    elif wrong == "another file":
        place.write_text("weights")
    answer = run("predict", place, pictures / "test")
    assert answer.code == 65
    assert str(place) in answer.err
    assert len(answer.err.splitlines()) <= 3


def test_weights_that_are_not_numbers_are_said_so(run: Run, studied: Path, pictures: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from triscale.weights import load, save

    found = load(studied / "best.safetensors")
    state = {name: tensor * float("nan") if "classifier" in name else tensor for name, tensor in found.state.items()}
    save(tmp_path / "broken.safetensors", replace(found, state=state))
    answer = run("predict", tmp_path / "broken.safetensors", pictures / "test" / "red" / "0.png", "--json")
    assert (answer.code, answer.out) == (70, "")


@pytest.mark.parametrize("arguments", [("--top", 0), ("--top", -1), ("--top", "x"), ()])
def test_predict_options_that_cannot_be_meant_are_a_usage_error(
    run: Run, studied: Path, arguments: tuple[object, ...]
) -> None:
    image = (__file__,) if arguments else ()
    assert run("predict", studied, *image, *arguments).code == 64
