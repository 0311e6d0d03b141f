"""The commands of the pages that train, and those that use what was trained, in their order, on little data."""

from pathlib import Path

import pytest

from tests.docs_site.blocks import Command, blocks, commands
from tests.docs_site.desk import furnish
from triscale.cli.app import main

PAGES = (
    "docs/how-to/train.md", "docs/how-to/transfer.md", "docs/how-to/study.md", "docs/how-to/search.md",
    "docs/how-to/predict.md", "docs/how-to/export.md", "docs/start.md", "docs/foreign.md", "docs/fit.md", "README.md",
)  # fmt: skip
LONG = ("--time", "--resolution", "--recipe", "--threads", "--trainings", "--candidates", "--seeds", "--epochs")
"""Options of trainings that are left out for those of `FURTHER`."""
TRAINED = ("--epochs", "1", "--threads", "1", "--no-kernels", "--loader-workers", "0")
SHORT = ("--seeds", "1", "--jobs", "1", "--threads", "1", "--epochs", "2")
FURTHER: dict[str, tuple[str, ...]] = {
    "train": ("--resolution", "32", "--recipe", "mine.toml", *TRAINED),
    "study": ("--candidates", "7", "--trainings", "7", *SHORT),
    "fit": ("--epochs", "2"),
    "search": ("--trials", "2", "--final-epochs", "4", *SHORT),
}
"""What makes a training short, by command."""
STANDS_FOR = {"RUN": "run", "triscale-runs/1f3a": "run"}
STUDIED = {"RUN": "study"}
"""On the page of studies."""
LEFT_OUT = {
    "serve": "it serves until it is stopped: tests/deploy/test_serve.py",
    "lite": "minutes: tests/test_lite_training.py",
    "status": "of a search that must still lie there: tests/search",
}
PARSED = ("--precision",)
"""Options of commands that have long tests of their own (tests/deploy)."""


def shorter(one: Command) -> list[str]:
    """The same command with small stand-ins, and short."""
    stands = STUDIED if "study.md" in one.place else STANDS_FOR
    words, kept = [stands.get(word, word) for word in one.words], list[str]()
    while words:
        word = words.pop(0)
        if word in LONG and one.words[0] in FURTHER:
            words.pop(0)
        else:
            kept.append(word)
    out = ("--out", Path(one.place.partition(":")[0]).stem) if one.words[0] == "study" else ()
    return [*kept, *FURTHER.get(one.words[0], ()), *out]


def runs(one: Command) -> bool:
    """Whether it belongs here."""
    words = set(one.words)
    calibrates = any(word.startswith("latency=") for word in words)
    return not words & set(LEFT_OUT) and not ("export" in words and words & set(PARSED)) and not calibrates


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a trained run, and one of B0 to grow from."""
    folder = furnish(tmp_path_factory.mktemp("desk"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        short = ["--data", "images/", "--resolution", "32", *TRAINED]
        assert main(["train", "--network", "smallnet_24", *short, "--out", "run"]) == 0
        assert main(["train", "--network", "efficientnet_b0", *short, "--out", "runs/b0"]) == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_run_in_their_order(
    page: str, desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(desk)
    found = [one for block in blocks(page) if block.language == "sh" for one in commands(block) if runs(one)]
    assert found
    for one in found:
        words = shorter(one)
        assert main(words) == 0, (one.place, words, capsys.readouterr().err)
