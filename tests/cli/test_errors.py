"""A user's mistake: the exit code of the table, at most three lines that name the thing, never a traceback."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import QUESTION, Run
from tests.search.studies import outcome
from triscale.trials import read
from triscale.trials.study_records import AnswerRecord

COMMAND = (sys.executable, "-m", "triscale")

USAGE: list[tuple[str, ...]] = [
    ("cozt",),
    ("cost",),
    ("cost", "efficientnet_b9"),
    ("cost", "efficientnet_b0", "--bach", "3"),
    ("cost", "efficientnet_b0", "extra"),
    ("cost", "efficientnet_b0", "--batch", "x"),
    ("cost", "efficientnet_b0", "--batch", "0"),
    ("cost", "efficientnet_b0", "--batch", "-1"),
    ("cost", "efficientnet_b0", "--batch", "1.5"),
    ("cost", "efficientnet_b0", "--resolution", "0"),
    ("cost", "efficientnet_b0", "--resolution", "-64"),
    ("cost", "efficientnet_b0", "--fit-memory", "nan"),
    ("cost", "efficientnet_b0", "--fit-memory", "-8GiB"),
    ("cost", "efficientnet_b0", "--optimizer", "adamx"),
    ("cost", "efficientnet_b0", "--isa", "neon"),
    ("cost", "efficientnet_b0", "--threads", "0"),
    ("cost", "efficientnet_b0", "--isa", "avx2", "--threads", "-1"),
    ("cost", "efficientnet_b0", "--isa", "none", "--threads", "-3"),
    ("scale", "efficientnet_b0", "--phi", "1", "--threads", "-3"),
    ("cost", "efficientnet_b0@phi=x"),
    ("cost", "efficientnet_b0@width=0"),
    ("networks", "nothing*"),
    ("networks", "resnet*", "senet*"),
    ("compare", "efficientnet_b9"),
    ("compare", "--set", "table4"),
    ("compare", "resnet50", "--set", "table2"),
    ("compare", "resnet50", "--phi", "1"),
    ("compare", "resnet50", "resnet18", "--figure", "x.svg"),
    ("compare", "--set", "table2", "--figure", "x.svg"),
    ("compare", "--figure", "x.svg", "--phi", "nan"),
    ("compare", "--figure", "f.png"),
    ("errata", "extra"),
    ("scale", "efficientnet_b0", "--phi", "nan"),
    ("scale", "efficientnet_b0", "--phi", "inf"),
    ("scale", "efficientnet_b0", "--depth", "-1"),
    ("scale", "efficientnet_b0", "--width", "0"),
    ("scale", "efficientnet_b0", "--resolution", "nan"),
    ("scale", "efficientnet_b0", "--budget", "macs=-1"),
    ("scale", "efficientnet_b0", "--budget", "macs=nan"),
    ("study", "smallnet_25"),
    ("study", "--phi", "nan"),
    ("study", "--phi", "-1"),
    ("study", "--phi", "1e9"),
    ("study", "--phi", "1", "--budget", "macs=20M"),
    ("study", "--budget", "latency=10ms"),
    ("study", "--tolerance", "nan"),
    ("study", "--tolerance", "0"),
    ("study", "--candidates", "0"),
    ("study", "--seeds", "0"),
    ("study", "--epochs", "-3"),
    ("study", "--train-size", "0"),
    ("study", "--epochs", "1"),
    ("study", "--time", "0m"),
    ("study", "--time", "-5m"),
    ("study", "--time", "nan"),
    ("study", "--jobs", "0"),
    ("study", "--threads", "0"),
    ("study", "--threads", "1.5"),
    ("study", "--device", "gpu"),
    ("study", "--seed", "-1"),
]

TRAIN = ("train", "--network", "smallnet_24", "--data", "flowers:48", "--out", "run")
USAGE += [
    TRAIN[:-2],
    ("train", "--network", "smallnet_25", "--data", "flowers:48", "--out", "run"),
    (*TRAIN, "--recipe", "eficientnet"),
    (*TRAIN, "--batch", "1"),
    (*TRAIN, "--batch", "many"),
    (*TRAIN, "--epochs", "0"),
    (*TRAIN, "--recipe", "efficientnet", "--epochs", "3"),
    (*TRAIN, "--seed", "-1"),
    (*TRAIN, "--loader-workers", "-1"),
    (*TRAIN, "--resolution", "0"),
    (*TRAIN, "--save-every", "soon"),
    (*TRAIN, "--device", "gpu"),
]

INPUT: list[tuple[str, ...]] = [
    ("cost", "missing.json"),
    ("cost", "efficientnet_b0", "--resolution", "9999999999"),
    ("cost", "efficientnet_b0", "--fit-memory", "1KiB"),
    ("compare", "missing.json"),
    ("compare", "--figure", "x.svg", "--phi", "20"),
    ("scale", "efficientnet_b0", "--phi", "1e9"),
    ("scale", "efficientnet_b0", "--phi", "60"),
    ("scale", "efficientnet_b0", "--width", "1e9"),
    ("scale", "efficientnet_b0", "--budget", "macs=10"),
    ("scale", "efficientnet_b0", "--budget", "macs=1e300"),
    ("study", "--device", "cuda:99"),
    ("study", "--data", "missing"),
    ("study", "--data", "missing/train.npz"),
    ("study", "--data", "flowers:7"),
    ("study", "--plan", "--train-size", "1000000000"),
    ("predict", "missing", "x.png"),
    ("report", "missing"),
    ("train", "--network", "smallnet_24", "--data", "missing", "--out", "run"),
    (*TRAIN, "--recipe", "missing.toml"),
    (*TRAIN, "--weights", "missing.safetensors"),
    (*TRAIN, "--device", "cuda:99"),
]


@pytest.mark.parametrize(("code", "arguments"), [*((64, one) for one in USAGE), *((65, one) for one in INPUT)], ids=str)
def test_a_mistake_ends_with_its_code_and_few_lines(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = run(*arguments)
    assert (answer.code, answer.out) == (code, "")
    lines = answer.err.splitlines()
    assert 1 <= len(lines) <= 3
    assert all(line.startswith("triscale: ") for line in lines)
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cost", "efficientnet_b0", "--fit-memory", "-8GiB"), "'-8GiB' is not a memory"),
        (("cost", "efficientnet_b0", "--isa", "neon"), "'neon'; allowed: here, none, avx2, avx512"),
        (("study", "--time", "-5m"), "'-5m' is not a duration"),
        ((*TRAIN, "--save-every", "-5m"), "'-5m' is not a duration"),
        (("study", "--data", __file__), "is a single file"),
        (("evaluate", "--weights", "x.safetensors", "--data", "flowers", "--crop", "x"), "crop is 'x'"),
    ],
    ids=str,
)
def test_a_mistake_is_told_as_what_it_is(run: Run, arguments: tuple[str, ...], said: str) -> None:
    assert said in run(*arguments).err


@pytest.mark.parametrize(
    ("command", "former", "now"),
    [("study", "--workers=2", "--jobs"), ("train", "--recompute", "--gradient-checkpointing")],
)
def test_an_option_of_0_1_leads_to_the_one_that_took_its_place(run: Run, command: str, former: str, now: str) -> None:
    answer = run(command, "--data", "flowers", "--out", "never", former)
    assert (answer.code, now in answer.err) == (64, True)


def test_an_unknown_network_comes_with_the_nearest_names(run: Run) -> None:
    assert "efficientnet_b0" in run("cost", "eficientnet_b0").err


@pytest.mark.parametrize("classes", [0, 1])
def test_fewer_than_two_classes_are_wrong_input(run: Run, tmp_path: Path, classes: int) -> None:
    (tmp_path / "data").mkdir()
    for name in ("one", "two")[:classes]:
        (tmp_path / "data" / name).mkdir()
    answer = run("study", "--data", tmp_path / "data", "--plan")
    assert answer.code == 65
    assert "data" in answer.err


@pytest.mark.parametrize(
    "arguments", [("scale", "smallnet_24", "--phi", "1"), ("study", "--data", "does not matter: this is tested first")]
)
def test_an_out_that_cannot_be_created_is_told(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Below a regular file, since nothing is forbidden to root."""
    (tmp_path / "file").write_text("")
    answer = run(*arguments, "--out", tmp_path / "file" / "out")
    assert (answer.code, answer.out) == (73, "")
    assert str(tmp_path / "file") in answer.err


@pytest.mark.parametrize("more", [(), ("--plan",)], ids=str)
def test_a_folder_of_something_else_is_no_place_for_a_study(
    run: Run, pictures: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    (tmp_path / "thesis.tex").write_text("")
    answer = run("study", *QUESTION, "--data", pictures, "--out", tmp_path, *more)
    assert (answer.code, answer.out) == (73, "")
    said = "is not empty and holds no study; give --out a new folder, or that of a study."
    assert answer.err == f"triscale: {tmp_path} {said}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_under_stdout_is_an_error_of_storage() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*COMMAND, "networks"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 74
    assert done.stderr.startswith("triscale: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_reader_that_goes_away_is_not_complained_about() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*COMMAND, "networks"], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_want_of_memory_is_told_in_one_line(tmp_path: Path) -> None:
    """The process may take 100 MB more than it has after its imports; a batch at 192 px needs several times that."""
    code = (
        "import resource, sys, triscale.search.studies.study; from triscale.cli import main; "
        "pages = int(open('/proc/self/statm').read().split()[0]); "
        "limit = pages * resource.getpagesize() + 100_000_000; "
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit)); "
        "sys.exit(main(['study', 'smallnet_24@resolution=8', '--data', 'flowers:48', '--candidates', '4', '--plan']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 71, done.stderr
    assert done.stderr.startswith("triscale: not enough memory")
    assert len(done.stderr.splitlines()) == 1


def begun(folder: Path, pictures: Path, jobs: str) -> subprocess.Popen[str]:
    """A study in a session of its own, seen to have finished a training."""
    options = list(QUESTION)
    options[options.index("--jobs") + 1] = jobs
    # A shell's background job ignores SIGINT, and so would every process that it starts.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [*COMMAND, "study", *options, "--data", str(pictures), "--out", folder.name],
        cwd=folder.parent,
        start_new_session=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    signal.signal(signal.SIGINT, inherited)
    path = folder / "records.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (path.exists() and b'"state":"done"' in path.read_bytes()):
        time.sleep(0.005)
    return process


def session(leader: int) -> list[int]:
    """The processes that are alive in the session of `leader`."""
    alive = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, own = entry.read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has just ended
            continue
        if int(own) == leader and state != "Z":
            alive.append(int(entry.parent.name))
    return alive


def left_after(seconds: float, leader: int) -> list[int]:
    """Processes of a session that outlive its leader by more than some seconds (an ending one may need a moment)."""
    deadline = time.monotonic() + seconds
    while (left := session(leader)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


@pytest.mark.parametrize(
    ("sent", "jobs", "code"),
    [(signal.SIGINT, "1", 130), pytest.param(signal.SIGTERM, "2", 143, marks=pytest.mark.slow)],
)
def test_a_stopped_study_resumes_to_the_same_trials_and_bytes(
    run: Run,
    studied: Path,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sent: signal.Signals,
    jobs: str,
    code: int,
) -> None:
    """No worker is left behind, and what was finished is not trained again."""
    process = begun(tmp_path / "run", pictures, jobs)
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, ""), err
    assert len(err.splitlines()) == 1
    assert "the same command resumes" in err
    assert left_after(5, process.pid) == []
    before = read(tmp_path / "run")
    assert before.one(AnswerRecord) is None, "it was not stopped in time; the test shows nothing"
    done = {one.key: one for one in before if one.state == "done"}
    monkeypatch.chdir(tmp_path)
    assert run("study", *QUESTION, "--data", pictures, "--out", "run").code == 0
    after = read(tmp_path / "run")
    assert {key: after.trial(key).finished for key in done} == {key: one.finished for key, one in done.items()}
    assert outcome(tmp_path / "run") == outcome(studied)
