"""Foreign networks on the command line: from the working folder, with their print-outs kept off stdout."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.test_benchmark import RESULT_KEYS
from tests.cli.test_cost import COST_KEYS

CODE = """
import colorsys

from torch import nn

assert colorsys.rgb_to_hsv

print("a foreign module")


def build(width=1.0, num_classes=10):
    print("is built")
    wide = round(8 * width)
    return nn.Sequential(nn.Conv2d(3, wide, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(wide, num_classes))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, which holds a module; installed ones come first."""
    (tmp_path / "foreign_here.py").write_text(CODE)
    (tmp_path / "colorsys.py").write_text("raise AssertionError('it hides the standard library')\n")
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one])
    yield tmp_path
    sys.modules.pop("foreign_here", None)


def test_cost_counts_code_of_the_working_folder(folder: Path, run: Run) -> None:
    del folder
    answer = run("cost", "foreign_here:build@width=2,classes=4", "--resolution", "10x12", "--batch", 2, "--json")
    assert answer.json.keys() >= COST_KEYS
    assert answer.json["network"] == "foreign_here:build@resolution=10x12,width=2,classes=4"
    assert (answer.json["params"], answer.json["macs"]) == (16 * 28 + 4 * 17, 16 * 27 * 80 + 64)
    assert "a foreign module" in answer.err
    assert "is built" in answer.err
    text = run("cost", "foreign_here:build@width=2,classes=4", "--resolution", "10x12").out
    assert "34,624" in text
    assert "tensors alone" in text


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nowhere:build",), 65, "there is no module nowhere"),
        (("foreign_here:bild",), 65, "did you mean foreign_here:build?"),
        (("foreign_here:build@wide=2",), 65, "has no parameter wide; did you mean width?"),
        (("foreign_here:build@width",), 64, "cannot read the setting 'width'"),
        (("foreign_here:build", "--by-stage"), 64, "--by-stage needs to know the blocks"),
        (("foreign_here:build", "--recompute"), 64, "--gradient-checkpointing needs to know the blocks"),
        (("foreign_here:build", "--batch", 0), 64, "batch is 0"),
        (("__main__:build",), 65, "Move it into a file"),
    ],
)
def test_a_mistake_is_a_message_and_a_code(
    folder: Path, run: Run, arguments: tuple[object, ...], code: int, words: str
) -> None:
    del folder
    answer = run("cost", *arguments)
    assert (answer.code, words in answer.err) == (code, True), answer.err
    assert len([line for line in answer.err.splitlines() if line.startswith("triscale")]) <= 3


def test_benchmark_measures_it_in_torch_and_says_why_nowhere_else(run: Run, folder: Path) -> None:
    del folder
    words = ("--engine", "torch,onnxruntime", "--rounds", "1", "--json")
    answer = run("benchmark", "foreign_here:build@resolution=32", *words)
    (row,) = answer.json["results"]
    assert row.keys() >= RESULT_KEYS
    assert (row["network"], row["engine"]) == ("foreign_here:build@resolution=32,classes=10", "torch")
    assert "this is code of its own; torch runs it" in answer.err


@pytest.mark.parametrize(
    "command",
    [
        ("scale", "foreign_here:build@blocks=2", "--budget", "macs=20M"),
        ("compare", "foreign_here:build@blocks=2"),
        (
            "fit",
            "--network",
            "foreign_here:build@blocks=2",
            "--data",
            "flowers:240",
            "--budget",
            "macs=1M",
            "--out",
            "x",
        ),
    ],
)
def test_a_command_that_takes_no_own_code_names_the_one_that_scales_it(run: Run, command: tuple[str, ...]) -> None:
    answer = run(*command)
    assert answer.code == 64
    assert "triscale study foreign_here:build@blocks=2 --data IMAGES --budget macs=20M\n" in answer.err
    assert "cost, train and benchmark take it too; scale, fit, compare and search do not" in answer.err
    assert len(answer.err.splitlines()) == 3
