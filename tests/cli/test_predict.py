"""`triscale predict`."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Run
from triscale import trials
from triscale.trials.study_records import AnswerRecord


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
    """The same images through another door: the tests of the best network count the same ones as right."""
    found = run("predict", studied, pictures / "test", "--top", 1, "--json").json
    right = sum(Path(one["image"]).parent.name == one["top"][0]["name"] for one in found)
    stored = trials.read(studied)
    answer = stored.one(AnswerRecord)
    assert answer is not None
    assert right / len(found) in {one.metrics.get("test_top1") for one in stored.by_network()[answer.best]}


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
    assert (answer.code, answer.out) == (65, "")
    assert "classifier.weight holds NaN" in answer.err


@pytest.mark.parametrize("arguments", [("--top", 0), ("--top", -1), ("--top", "x"), ()])
def test_predict_options_that_cannot_be_meant_are_a_usage_error(
    run: Run, studied: Path, arguments: tuple[object, ...]
) -> None:
    image = (__file__,) if arguments else ()
    assert run("predict", studied, *image, *arguments).code == 64


def test_weights_by_option_leave_every_argument_a_picture(run: Run, studied: Path, pictures: Path) -> None:
    image, weights = pictures / "test" / "red" / "0.png", studied / "best.safetensors"
    by_run = run("predict", studied, image, "--json").json
    assert run("predict", "--weights", weights, image, "--json").json == by_run
    network = run("predict", image, "--weights", weights, "--network", "resnet18", "--json")
    assert (network.code, network.out) == (65, "")
    assert "not of resnet18" in network.err
    nothing = run("predict", "--network", "efficientnet_b7", image)
    assert nothing.code == 64
    assert "no weights for efficientnet_b7" in nothing.err


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_the_order_is_that_of_the_arguments_at_any_batch(run: Run, studied: Path, pictures: Path, batch: int) -> None:
    """Also with images between them that cannot be read."""
    files = [pictures / "test" / name / f"{index}.png" for index in range(7, -1, -1) for name in ("red", "green")]
    found = run("predict", studied, *files[:5], __file__, *files[5:], "--batch", batch, "--json")
    assert [one["image"] for one in found.json] == [str(file) for file in files]
    alone = run("predict", studied, files[3], "--json").json[0]
    assert [row["class"] for row in found.json[3]["top"]] == [row["class"] for row in alone["top"]]
    for row, other in zip(found.json[3]["top"], alone["top"], strict=True):
        assert row["probability"] == pytest.approx(other["probability"], abs=1e-5)


def test_two_stars_look_into_all_folders_and_find_only_files(run: Run, studied: Path, pictures: Path) -> None:
    found = run("predict", studied, pictures / "**" / "1.png", "--json").json
    assert len(found) == 4
    folders = run("predict", studied, pictures / "te*", "--json")
    assert folders.code == 65
    assert run("predict", studied, pictures / "**1.png", "--json").code in {0, 64}  # read by newer Pythons only


def test_an_override_is_needed_and_told(run: Run, studied: Path, pictures: Path) -> None:
    image = pictures / "test" / "red" / "0.png"
    refused = run("predict", studied, image, "--interpolation", "bilinear", "--json")
    assert (refused.code, refused.out) == (65, "")
    assert "trained with interpolation area, not bilinear" in refused.err
    taken = run("predict", studied, image, "--override", "interpolation=bilinear", "--json").json
    assert taken[0]["overridden"] == {"interpolation": {"used": "bilinear", "weights": "area"}}
    assert "overridden" not in run("predict", studied, image, "--interpolation", "area", "--json").json[0]
    assert run("predict", studied, image, "--override", "crop=0.9").out.startswith("overridden: crop 0.9")


@pytest.mark.parametrize(
    "name", [b"new\nline.png", b"not utf-8 \xff.png", b"-dash.png", "gr\u00fcn.png".encode(), b"a b'c.png"]
)
def test_any_file_name_is_told_in_one_line_and_round_trips(
    run: Run, studied: Path, pictures: Path, tmp_path: Path, name: bytes
) -> None:
    place = tmp_path / os.fsdecode(name)
    shutil.copy(pictures / "test" / "red" / "0.png", place)
    (found,) = run("predict", studied, tmp_path, "--json").json
    assert os.fsencode(found["image"]) == os.fsencode(place)
    text = run("predict", studied, place, "--top", 1).out
    assert len(text.splitlines()) == 2
    text.encode()


def test_an_upright_picture_and_a_turned_one_with_exif_are_told_the_same(
    run: Run, studied: Path, tmp_path: Path
) -> None:
    """And modes that are not RGB: 16-bit grey, palette, CMYK, alpha."""
    draws = np.random.default_rng(3)
    grey = Image.fromarray(np.kron(draws.integers(0, 256, (6, 4), dtype=np.uint8), np.ones((8, 8), np.uint8)))
    grey.convert("RGB").save(tmp_path / "0.png")
    turned = grey.convert("RGB").transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by 90 degrees
    turned.save(tmp_path / "1.png", exif=exif)
    Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(tmp_path / "2.png")
    grey.convert("RGB").quantize(64).save(tmp_path / "3.png")
    grey.convert("RGBA").save(tmp_path / "4.png")
    grey.convert("RGB").convert("CMYK").save(tmp_path / "5.jpg", quality=100, subsampling=0)
    grey.save(tmp_path / "6.png")
    turned.save(tmp_path / "7.png")
    found = run("predict", studied, tmp_path, "--json").json
    first = {row["class"]: row["probability"] for row in found[0]["top"]}
    far = [max(abs(row["probability"] - first[row["class"]]) for row in one["top"]) for one in found]
    assert len(far) == 8
    assert max(far[:-1]) < far[-1] / 4, f"the last is turned and does not say so: {far}"
