"""The Tab key in real shells."""

import os
import pty
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run

SCRIPT = """
source "$1"
COMP_WORDS=($2); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); COMP_LINE="$2"; COMP_POINT=${#COMP_LINE}
complete -p triscale >&2
_triscale
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def bash(run: Run, tmp_path: Path) -> Path:
    """What `triscale completion bash` prints, in a file."""
    path = tmp_path / "completion.bash"
    path.write_text(run("completion", "bash").out, encoding="utf-8")
    return path


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("triscale tra", {"train"}),
        ("triscale train --grad", {"--gradient-checkpointing"}),
        ("triscale study --eng", {"--engine"}),
        ("triscale study --engine r", {"ray"}),
        ("triscale search arch", {"architecture"}),
        ("triscale completion z", {"zsh"}),
    ],
)
def test_bash_completes(bash: Path, typed: str, wanted: set[str]) -> None:
    done = subprocess.run(["bash", "-c", SCRIPT, "_", bash, typed], capture_output=True, text=True, check=True)
    assert {word.strip() for word in done.stdout.splitlines()} == wanted, done.stderr


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes_what_is_installed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zsh on a terminal, whose Tab key is pressed."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ZSH", "ZSH_CUSTOM"):
        monkeypatch.delenv(name, raising=False)
    assert run("completion", "zsh", "--install").code == 0
    zshrc = tmp_path / ".zshrc"
    zshrc.write_text(zshrc.read_text(encoding="utf-8") + "autoload -Uz compinit && compinit -u\nPS1='ready> '\n")
    seen = typed_in_zsh(tmp_path, "triscale tra\t--grad\t")
    assert "triscale train " in seen
    assert "--gradient-checkpointing" in seen


def typed_in_zsh(home: Path, keys: str) -> str:
    """What stands on the terminal of a zsh after some keys."""
    terminal, process_end = pty.openpty()
    shell = subprocess.Popen(
        ["zsh", "-i"], stdin=process_end, stdout=process_end, stderr=process_end, close_fds=True,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "dumb", "ZDOTDIR": str(home)},
    )  # fmt: skip
    os.close(process_end)
    try:
        seen = read_until(terminal, "ready> ", 30)
        for part in keys.split("\t")[:-1]:
            os.write(terminal, f"{part}\t".encode())
            seen += read_until(terminal, None, 1.5)
        return seen
    finally:
        shell.kill()
        shell.wait()
        os.close(terminal)


def read_until(terminal: int, wanted: str | None, seconds: float) -> str:
    """Read a terminal until a text comes, or for some seconds."""
    seen, end = "", time.monotonic() + seconds
    while time.monotonic() < end and (wanted is None or wanted not in seen):
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 4096).decode(errors="replace")
    return seen


def test_bash_is_installed_where_the_shell_finds_it(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    answer = run("completion", "bash", "--install")
    path = Path(answer.out.splitlines()[0].removeprefix("wrote "))
    assert (answer.code, path.is_file()) == (0, True)
    done = subprocess.run(
        ["bash", "-c", 'source "$HOME/.bashrc"; complete -p triscale'],
        capture_output=True, text=True, check=True, env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.stdout.rstrip().endswith("triscale")


def test_a_home_that_cannot_be_written_to_is_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("HOME", str(blocked))
    answer = run("completion", "bash", "--install")
    assert (answer.code, len(answer.err.splitlines())) == (73, 1)
    assert answer.err.startswith("triscale: cannot write ")
