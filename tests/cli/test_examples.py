"""The examples at the end of each help run as they stand, in the order of the pages."""

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from triscale.cli.app import main
from triscale.cli.help.pages import PAGES

EXAMPLES = [shlex.split(line)[1:] for page in PAGES.values() for line in page.examples]


def own_images(place: Path) -> None:
    """`image.png`, and class folders `images/` of two classes."""
    draws = np.random.default_rng(0)
    for name, channel in (("red", 0), ("green", 1)):
        folder = place / "images" / name
        folder.mkdir(parents=True)
        for index in range(60):
            pixels = draws.integers(0, 120, (32, 32, 3), dtype=np.uint8)
            pixels[..., channel] += 120
            Image.fromarray(pixels).save(folder / f"{index}.png")
    Image.fromarray(pixels).save(place / "image.png")


def serves(arguments: list[str]) -> bool:
    """Whether `triscale serve` says where it listens, and ends on SIGTERM with exit code 0."""
    command = [sys.executable, "-m", "triscale", *arguments, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        lines = []
        while "}" not in lines:
            lines.append(served.stdout.readline().rstrip("\n"))
        served.send_signal(signal.SIGTERM)
        return json.loads("\n".join(lines))["url"].startswith("http") and served.wait(30) == 0


@pytest.mark.slow
def test_the_examples_run_in_the_order_of_the_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    own_images(tmp_path)
    for arguments in EXAMPLES:
        if arguments[0] == "serve":
            assert serves(arguments), arguments
        else:
            assert main(arguments) == 0, (arguments, capsys.readouterr().err)
