"""A search from Python is the search of the command line, and its result is typed."""

import json
from pathlib import Path

import pytest

import triscale
from tests.search.explorations.tiny import tiny_base, tiny_data, tiny_space
from triscale.api import SearchResult
from triscale.cli.app import main
from triscale.spec import Network, content_hash, from_dict

ASKED = {"trials": 4, "lag": 2, "epochs": 2, "final_epochs": 3, "seeds": 1, "batch": 16}


def found_by_python(folder: Path, network: Network | None, space: Path) -> SearchResult:
    return triscale.search_architecture(
        network, folder / "data", space=space, out=folder / "search", jobs=1, device="cpu",
        **ASKED,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path]:
    """A folder with images, and a space."""
    tiny_data(tmp_path / "data")
    return tmp_path, tiny_space(tmp_path)


def test_a_search_from_python_is_that_of_the_command_line(
    made: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """The command with the same question in the same folder trains nothing more, and finds the same."""
    folder, space = made
    result = found_by_python(folder, None, space)
    assert capsys.readouterr().out == ""
    options = [word for name, value in ASKED.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    where = ["--data", str(folder / "data"), "--space", str(space), "--out", str(folder / "search")]
    assert main(["search", "architecture", *where, *options, "--jobs", "1", "--device", "cpu", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert from_dict(document["found"]) == result.found
    assert (document["score"], document["lines"]) == (result.score, list(result.answer.lines))
    assert document["accuracy"] == result.accuracy == result.answer.finalists[0].validation
    assert document["guessing"]["accuracy"] == pytest.approx(0.25, abs=0.05)
    assert document["guessing"]["beaten"] is False
    assert "no network beats guessing" in " ".join(document["lines"])
    assert document["beside_random"] is None
    assert [one["id"] for one in document["front"]] == [content_hash(one.network) for one in result.front]
    assert [one["accuracy"] for one in document["front"]] == [one.accuracy for one in result.front]
    assert len([one for one in result.trials if one.purpose == "search"]) == document["trials"] == 4
    assert result.folder == folder / "search"
    for path in (result.checkpoint, result.report):
        assert path.is_file()


def test_a_network_that_has_no_name_is_a_baseline_too(made: tuple[Path, Path]) -> None:
    """The space lies around the spec itself."""
    folder, space = made
    base = triscale.scale(tiny_base(), width=2.0)
    result = found_by_python(folder, base, space)
    assert {one.network.stem.channels for one in result.front} == {16}
    assert {stage.channels for one in result.front for stage in one.network.stages} <= {8, 16}
