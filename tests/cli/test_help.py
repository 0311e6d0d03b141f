"""Help fits on a screen, hides nothing from --help-all, and its examples are command lines that parse."""

import io
import shlex

import pytest
from cyclopts import App
from rich.console import Console

from tests.cli.conftest import Run
from tests.cli.test_startup import loaded
from triscale.cli.app import app
from triscale.cli.help.page import PARTS
from triscale.cli.help.page_writer import everything
from triscale.cli.help.pages import PAGES, page_of

MANY = 15
"""A command with more options than this shows the usual ones first."""


def commands(parent: App = app, path: tuple[str, ...] = ()) -> dict[str, App]:
    """Every command that does something, by its path."""
    found: dict[str, App] = {}
    for name in parent:
        if not name.startswith("-"):
            child = parent[name]
            found |= (
                commands(child, (*path, name)) if child.default_command is None else {" ".join([*path, name]): child}
            )
    return found


def options(command: App) -> list[str]:
    """The first name of each option, without arguments."""
    shown = (one for one in command.assemble_argument_collection() if one.show)
    return [one.names[0] for one in shown if one.names and one.names[0].startswith("--")]


def text(path: str, columns: int, *, whole: bool = False) -> list[str]:
    """The lines of a page of help."""
    written = io.StringIO()
    with everything(whole):
        app.help_print(path.split(), console=Console(file=written, width=columns))
    return written.getvalue().splitlines()


LARGE = [path for path, command in commands().items() if len(options(command)) > MANY]


def test_the_list_of_commands_is_in_six_parts_with_one_line_each() -> None:
    lines = text("", 80)
    titles = [line for line in lines if line in PARTS.values()]
    assert titles == ["Look", "Scale", "Train", "Search", "Use", "Paper"]
    listed = [line.split()[0] for line in lines[lines.index("Look") : lines.index("Options")] if line.startswith("  ")]
    assert sorted(listed) == sorted(name for name in app if not name.startswith("-"))


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize("path", LARGE)
def test_the_help_of_a_large_command_fits_one_screen(path: str, columns: int) -> None:
    lines = text(path, columns)
    assert 20 <= len(lines) <= 40
    assert max(map(len, lines)) <= columns
    assert 9 <= sum(line.startswith("  --") for line in lines) <= 12


@pytest.mark.parametrize("path", commands())
def test_help_all_shows_each_option_once(path: str) -> None:
    shown = [line.split()[0].strip(",") for line in text(path, 100, whole=True) if line.startswith("  --")]
    assert sorted(shown) == sorted(options(commands()[path]))


@pytest.mark.parametrize("path", LARGE)
def test_pages_name_options_that_the_command_has(path: str) -> None:
    page, known = page_of(path), set(options(commands()[path]))
    assert set(page.usual) <= known
    assert known - {name for _, names in page.sections for name in names} < known


def test_every_page_is_of_a_command_and_every_command_has_a_page_with_two_examples() -> None:
    assert set(PAGES) == {*commands(), "search"}
    assert {path for path in PAGES if len(page_of(path).examples) != 2} == set()


@pytest.mark.parametrize("line", [line for page in PAGES.values() for line in page.examples])
def test_an_example_fits_a_line_and_parses(line: str) -> None:
    program, *arguments = shlex.split(line)
    assert program == "triscale"
    assert len(line) <= 78
    app.parse_args(arguments, exit_on_error=False, print_error=False)


def test_help_all_is_heard_by_the_command_line(run: Run) -> None:
    assert "--gradient-checkpointing" not in run("train", "--help").out
    assert "--gradient-checkpointing" in run("train", "--help-all").out
    assert "--gradient-checkpointing" not in run("train", "--help").out


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["study", "--help-all"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert loaded(f"from triscale.cli import main; assert main({arguments!r}) == 0") == set()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("trian",), 'Unknown command "trian". Did you mean "train"? See `triscale --help`.'),
        (("train",), "triscale train requires --data. See `triscale train --help`."),
        (("search", "status"), "triscale search status requires FOLDER. See `triscale search status --help`."),
        (("cost", "efficientnet_b0", "--macs"), "Unknown option: --macs."),
    ],
)
def test_a_wrong_command_line_names_the_help_of_its_own_command(
    run: Run, arguments: tuple[str, ...], message: str
) -> None:
    answer = run(*arguments)
    assert (answer.code, len(answer.err.splitlines())) == (64, 1)
    assert answer.err.startswith(f"triscale: {message}")
    assert answer.err.endswith(" --help`.\n")
