"""The container file: what it copies exists, what it installs is declared, and its commands run as they are written."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest

from tests.deploy.child import child
from tests.paths import ROOT

TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8")
LINES = [" ".join(line.split()) for line in re.sub(r"\\\n", " ", TEXT).splitlines() if not line.startswith("#")]


def of(instruction: str) -> list[str]:
    """The arguments of each instruction of a kind, in their order."""
    return [line.removeprefix(f"{instruction} ") for line in LINES if line.startswith(f"{instruction} ")]


def test_everything_that_is_copied_exists_and_passes_the_ignore_file() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    names = [name for line in of("COPY") for name in line.split()[:-1]]
    assert names
    for name in names:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored, name


def test_a_build_needs_nothing_else_of_the_checkout() -> None:
    """What the build backend reads by pyproject.toml is among what is copied."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    copied = {name for line in of("COPY") for name in line.split()[:-1]}
    needed = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"], "src"}
    assert needed <= copied
    (install,) = [line for line in of("RUN") if "pip install" in line]
    found = re.search(r"'\.\[([\w,]+)\]'", install)
    assert found
    assert set(found[1].split(",")) <= set(project["project"]["optional-dependencies"])


def test_it_does_not_run_as_root() -> None:
    assert of("USER") == ["triscale"]
    assert any("useradd" in line and "triscale" in line for line in of("RUN"))


@pytest.mark.parametrize("folder", [True, False])
def test_its_command_serves_what_is_mounted_and_its_check_sees_it(
    checkpoint: Path, tmp_path: Path, *, folder: bool
) -> None:
    """As the image runs it, but for the place of the model and a free port."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "best.safetensors").write_bytes(checkpoint.read_bytes())
    (entry,), (command,) = map(json.loads, of("ENTRYPOINT")), map(json.loads, of("CMD"))
    assert entry[0] == "triscale"
    assert (command[0], of("EXPOSE")) == ("/model", ["8000"])
    where = model if folder else model / "best.safetensors"
    with child("-m", *entry, where, *command[1:], "--port", "0", "--json") as running:
        port = running.url.rpartition(":")[2].strip("/")
        assert running.url.startswith("http://0.0.0.0:")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=20) as answer:
            assert json.load(answer) == {"status": "ok"}
        (check,) = re.findall(r"CMD (\[.*\])", " ".join(of("HEALTHCHECK")))
        checked = [part.replace(":8000", f":{port}") for part in json.loads(check)]
        assert subprocess.run([sys.executable, *checked[1:]], check=False).returncode == 0
        assert running.stop() == (0, "")
    done = subprocess.run([sys.executable, *checked[1:]], check=False, capture_output=True)
    assert done.returncode != 0


def test_the_examples_in_its_comments_are_commands_that_parse() -> None:
    examples = [line.lstrip("# ") for line in TEXT.splitlines() if line.startswith("#   docker run")]
    assert len(examples) == 2
    for line in examples:
        words = shlex.split(line)
        assert "127.0.0.1:8000:8000" in words, "the port is open to this machine alone"
