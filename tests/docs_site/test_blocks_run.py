"""The blocks of README and the documentation run, and print what they are shown to print.

Commands that are counted run here as they stand; those that train or need what is made by training run in
`test_shown_trainings.py`, which is slow. What neither runs is at least parsed (`test_commands_parse.py`).
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs_site.blocks import Block, Command, blocks, commands, pages
from tests.docs_site.desk import furnish
from triscale.cli.app import main

COUNTING = ("networks", "cost", "compare", "scale", "errata", "check")
MEASURED = ("--target", "--coefficients")
"""Options for which something has to be measured or trained before."""
SLOW = ("docs/explanation/fast-kernels.md", "docs/native.md", "docs/fit.md")
"""Pages whose Python compiles or trains."""
ELSEWHERE = ("docs/python.md", "docs/from-search-to-shipping.md", "docs/foreign.md")
"""Pages with a test of their own, or whose Python is a file that others import."""
MARK = "--- end of a block ---"


def shown() -> list[Command]:
    """Every command with the output that its page shows."""
    found = [
        one for page in pages() for block in blocks(page) if block.language == "console" for one in commands(block)
    ]
    assert all(one.output for one in found), "a console block shows output; write sh for commands alone"
    return found


def counting() -> list[Command]:
    """Every command without output that only counts."""
    found = [one for page in pages() for block in blocks(page) if block.language == "sh" for one in commands(block)]
    return [one for one in found if one.words[0] in COUNTING and not set(MEASURED) & set(one.words)]


def python_pages() -> list[str]:
    """The pages with Python."""
    found = [page for page in pages() if any(block.language == "python" for block in blocks(page))]
    return [page for page in found if page not in ELSEWHERE]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnish(tmp_path_factory.mktemp("desk"))


@pytest.mark.parametrize("one", shown(), ids=lambda one: one.place)
def test_a_command_prints_what_its_page_shows(one: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(one.words) == 0, capsys.readouterr().err
    printed = tuple(line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip())
    assert printed == one.output


def test_every_command_that_counts_runs(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(desk)
    monkeypatch.syspath_prepend(desk)
    found = counting()
    assert len(found) > 10
    for one in found:
        assert main(one.words) == 0, (one.place, one.words, capsys.readouterr().err)


@pytest.mark.parametrize(
    "page", [pytest.param(one, marks=[pytest.mark.slow] if one in SLOW else []) for one in python_pages()]
)
def test_the_python_of_a_page_runs_and_prints_what_is_shown(page: str, desk: Path) -> None:
    found = list(blocks(page))
    code = [block for block in found if block.language == "python"]
    script = desk / "page.py"
    script.write_text("\n".join(f"{block.text}\nprint({MARK!r})" for block in code), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=desk, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = [part.strip() for part in done.stdout.split(MARK)][:-1]
    for block, out in zip(code, printed, strict=True):
        wanted = output_of(block, found)
        assert wanted is None or out == wanted.text.strip(), block


def output_of(block: Block, found: list[Block]) -> Block | None:
    """The block of output right behind a block of code."""
    following = found[found.index(block) + 1 :][:1]
    return following[0] if following and following[0].language == "output" else None


def test_a_page_that_shows_another_output_is_found(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("```console\n$ triscale networks resnet18\nnothing of the kind\n```\n")
    (one,) = commands(next(iter(blocks("page.md", tmp_path))))
    assert (one.words, one.output) == (("networks", "resnet18"), ("nothing of the kind",))
