"""At the prompt: Ctrl-C at any moment, terminals of another encoding, paths from the home folder, a root by mistake."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run
from triscale.cli.home_paths import from_home
from triscale.cli.options.picture_files import run_and_pictures
from triscale.errors import InputError

COMMAND = (sys.executable, "-m", "triscale")
AS_A_SHELL = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""A background job of a shell, which a test may be, ignores SIGINT, and so would every process that it starts."""


@pytest.fixture
def cats(tmp_path: Path) -> Path:
    """Two classes whose names Latin alphabets lack, wholly and in part."""
    for red, name in enumerate(("größe", "猫")):
        (tmp_path / "u" / name).mkdir(parents=True)
        for index in range(10):
            Image.new("RGB", (24, 24), (200 * red, 9 * index, 0)).save(tmp_path / "u" / name / f"{index}.png")
    return tmp_path / "u"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_a_class_that_the_encoding_lacks_is_shown_by_its_number(cats: Path, encoding: str) -> None:
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([*COMMAND, "check", str(cats)], capture_output=True, env=environment, check=True)
    text = done.stdout.decode(encoding)
    assert ("猫" if encoding == "utf-8" else "\\u732b") in text
    assert ("gr\\xf6\\xdfe" if encoding == "ascii" else "größe") in text
    assert done.stderr == b""


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_json_is_json_in_any_encoding(cats: Path, encoding: str) -> None:
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([*COMMAND, "check", str(cats), "--json"], capture_output=True, env=environment, check=True)
    assert [one["name"] for one in json.loads(done.stdout.decode(encoding))["classes"]] == ["größe", "猫"]


def test_a_complaint_names_a_file_that_the_encoding_lacks(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii:strict"}
    done = subprocess.run([*COMMAND, "check", str(tmp_path / "猫")], capture_output=True, env=environment, check=False)
    assert done.returncode == 65
    assert b"\\u732b" in done.stderr
    assert len(done.stderr.splitlines()) <= 3


READY = f"""
{AS_A_SHELL}
import importlib.abc, sys

class Ready(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "triscale.cli.app":
            sys.meta_path.remove(self)
            print(flush=True)

sys.meta_path.insert(0, Ready())
sys.argv[1:] = {{command!r}}
from triscale.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("command", [["cost", "efficientnet_b0"], ["check", "flowers:48"]], ids=str)
def test_ctrl_c_says_nothing_from_the_first_import_on(command: list[str]) -> None:
    """Sent when the command line begins to load, and at moments of its imports and its work."""
    for after in (0, 0.05, 0.1, 0.2, 0.35, 0.6):
        with subprocess.Popen(
            [sys.executable, "-c", READY.format(command=command)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(after)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        assert said == ""
        assert process.returncode in {0, 130}


IMPORTING = f"""
{AS_A_SHELL}
import importlib.abc, os, signal, sys

class Interrupt(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {{at!r}}:
            sys.meta_path.remove(self)
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:
                if {{swallowed}}:
                    raise ImportError("made of it by a library") from None
                raise

sys.meta_path.insert(0, Interrupt())
sys.argv[1:] = ["check", {{data!r}}]
from triscale.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("swallowed", [False, True], ids=["plain", "as ImportError"])
@pytest.mark.parametrize("at", ["triscale.cli.app", "cyclopts", "triscale.api", "triscale.data", "numpy", "PIL"])
def test_ctrl_c_within_an_import_says_nothing(at: str, swallowed: bool, tmp_path: Path) -> None:
    """Also where a library makes an ImportError of it, as NumPy's C code does."""
    code = IMPORTING.format(at=at, swallowed=swallowed, data=str(tmp_path / "none"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_second_ctrl_c_ends_what_does_not_heed_the_first() -> None:
    code = (
        f"{AS_A_SHELL}; import sys, time, triscale.cli; line = sys.modules['triscale.cli.app']\n"
        "def stubborn(*_):\n"
        "    while True:\n"
        "        try:\n"
        "            print('here', flush=True); time.sleep(60)\n"
        "        except KeyboardInterrupt: pass\n"
        "line.app = stubborn\n"
        "line.main()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(2):
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_a_command_line_in_a_program_leaves_its_signals_alone(run: Run) -> None:
    before = signal.getsignal(signal.SIGINT)
    run("networks")
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("argument", "wanted"),
    [
        ("~", "HOME"),
        ("~/x", "HOME/x"),
        ("--out=~/x", "--out=HOME/x"),
        ("--data=cifar10:~/x", "--data=cifar10:HOME/x"),
        ("cifar10:~/x", "cifar10:HOME/x"),
        ("~/net.json@phi=1", "HOME/net.json@phi=1"),
        ("~/a b\n/c", "HOME/a b\n/c"),
        ("~nobody-of-that-name/x", "~nobody-of-that-name/x"),
        ("--out=x~", "--out=x~"),
        ("x/~/y", "x/~/y"),
        ("-5m", "-5m"),
        ("", ""),
    ],
)
def test_a_path_from_the_home_folder_is_written_out(
    argument: str, wanted: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert from_home(argument) == wanted.replace("HOME", str(tmp_path))


def test_an_out_from_the_home_folder_makes_no_folder_named_like_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")
    assert run("scale", "smallnet_24", "--phi", "1", "--out=~/net.json").code == 0
    assert run("cost", "~/net.json").code == 0
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("root", ["/", "/..", "~", ".", "/usr"])
def test_a_root_or_home_folder_is_no_data_set(
    run: Run, root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    answer = run("check", root)
    assert (answer.code, answer.out) == (65, "")
    assert "not a data set" in answer.err
    assert len(answer.err.splitlines()) <= 3


def test_all_pictures_of_a_machine_are_not_predicted() -> None:
    with pytest.raises(InputError, match="root of the file system"):
        run_and_pictures("predict", ["run", "/"], named=False)


@pytest.mark.parametrize(
    ("arguments", "twin"),
    [
        (("cost", "mobilenet_v2@width=0.35"), "mobilenet_v2_035"),
        (("cost", "mobilenet_v3_small@depth=1,width=0.75"), "mobilenet_v3_small_075"),
        (("scale", "mobilenet_v2", "--width", "0.5"), "mobilenet_v2_050"),
        (("compare", "mobilenet_v2", "mobilenet_v2@width=0.75"), "mobilenet_v2_075"),
        (("cost", "mobilenet_v1@width=0.5"), None),
        (("cost", "mobilenet_v2@width=1.4"), None),
        (("cost", "mobilenet_v2@width=0.36"), None),
        (("cost", "mobilenet_v2_035"), None),
        (("cost", "efficientnet_b0@phi=1"), None),
    ],
    ids=str,
)
def test_a_width_that_is_not_the_published_one_says_so(run: Run, arguments: tuple[str, ...], twin: str | None) -> None:
    """MobileNetV2 and V3 keep their head where a multiplier is below 1."""
    answer = run(*arguments, "--json")
    assert answer.code == 0
    assert answer.json
    assert (answer.err == "") if twin is None else (twin in answer.err and len(answer.err.splitlines()) == 1)


def test_a_reader_of_complaints_that_goes_away_changes_no_exit_code() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*COMMAND, "cost", "efficientnet_b9"], stdout=write, stderr=write, check=False)
    os.close(write)
    assert done.returncode == 64
