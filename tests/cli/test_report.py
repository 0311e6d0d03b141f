"""`triscale report --triangle`: the image of a study as a file."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.report import sample, surfaces
from triscale.report import study_triangle
from triscale.trials import read
from triscale.trials.study_records import CamRecord


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample.write_run(tmp_path_factory.mktemp("run"), surfaces.studied())


def test_the_triangle_is_written_and_no_page(run: Run, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "triangle.svg"
    assert run("report", folder, "--triangle", file, "--json").json == {"triangle": str(file)}
    assert file.read_text(encoding="utf-8") == study_triangle(read(folder))
    assert not (folder / "report.html").exists()
    assert run("report", folder, "--triangle", file).out == f"{file}\n"


def test_mistakes_are_named(run: Run, folder: Path, tmp_path: Path) -> None:
    plain = sample.write_run(tmp_path / "means")
    young = sample.write_run(tmp_path / "young", stop=5)
    for arguments, code, words in (
        ((folder, "--triangle", "t.png"), 64, "give FILE.svg"),
        ((folder, "--triangle", "t.svg", "--summary"), 64, "not both"),
        ((folder, "--summary", "--json"), 64, "the summary is Markdown"),
        ((plain, "--triangle", tmp_path / "t.svg"), 65, "compared means"),
        ((young, "--triangle", tmp_path / "t.svg"), 65, "chosen nothing yet"),
        ((tmp_path / "none", "--triangle", tmp_path / "t.svg"), 65, "no such run folder"),
        ((folder, "--triangle", tmp_path / "absent" / "t.svg"), 73, "cannot write"),
    ):
        answer = run("report", *arguments)
        assert answer.code == code, arguments
        assert words in answer.err
        assert len(answer.err.splitlines()) <= 3
    assert not (tmp_path / "t.svg").exists()


def test_a_study_scores_the_maps_of_its_networks_on_the_same_images(studied: Path) -> None:
    """All 16 test images of the fixture, for the baseline and each network of the largest phi."""
    found = read(studied).one(CamRecord)
    assert found is not None
    assert found.steps > 0
    assert {one.rule for one in found.focus} >= {"baseline", "compound"}
    assert {len(one.scores) for one in found.focus} == {16}
    assert [one.id for one in found.focus] == [one.id for one in found.pictures[0].maps]
    assert "Are they more focused?" in (studied / "report.html").read_text(encoding="utf-8")
