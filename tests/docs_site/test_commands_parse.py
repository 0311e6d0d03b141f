"""Every command that a page shows is one that the command line takes: each command, argument and option exists."""

import pytest
from cyclopts import CycloptsError, MissingArgumentError

from tests.docs_site.blocks import Command, blocks, commands, inline, pages
from triscale.cli.app import app
from triscale.errors import TriscaleError

OPEN = ("...", "…", "DIR", "R --out")
"""What stands for more in a sentence, or for a word that only the sentence explains."""


def fault(one: Command, *, whole: bool) -> str:
    """Why the command line rejects a command, or nothing; one that is not whole may lack arguments."""
    try:
        app.parse_args([*one.words], print_error=False, exit_on_error=False)
    except MissingArgumentError as error:
        return f"{one.place}: triscale {' '.join(one.words)}: {error}" if whole else ""
    except (CycloptsError, TriscaleError) as error:
        return f"{one.place}: triscale {' '.join(one.words)}: {error}"
    return ""


@pytest.mark.parametrize("page", pages())
def test_every_command_of_a_page_is_one_that_triscale_takes(page: str) -> None:
    shown = [one for block in blocks(page) for one in commands(block)]
    said = [one for one in inline(page) if not any(word in " ".join(one.words) for word in OPEN)]
    faults = [fault(one, whole=True) for one in shown] + [fault(one, whole=False) for one in said]
    assert [one for one in faults if one] == []


def test_commands_are_found_behind_launchers_in_scripts_and_in_manifests() -> None:
    found = {page: [one.words for block in blocks(page) for one in commands(block)] for page in pages()}
    assert ("train", "--network", "efficientnet_b0") in [one[:3] for one in found["docs/how-to/many-machines.md"]]
    assert sum(one[:1] == ("study",) for one in found["docs/clusters.md"]) >= 6  # shell, SLURM and Kubernetes
    assert sum(len(one) for one in found.values()) > 80


@pytest.mark.parametrize(
    "words", [("train", "--no-such-option"), ("no-such-command",), ("scale",), ("cost", "a", "b", "c")]
)
def test_a_command_that_does_not_exist_is_found(words: tuple[str, ...]) -> None:
    assert fault(Command("page.md:1", words), whole=True)
