"""What `make dist` built is what is installed: every file of the package, and a main job that needs nothing else.

The environment is empty but for the wheel and what it declares; on its path are neither a compiler nor git. A torch
with CUDA takes gigabytes: TRISCALE_TEST_TORCH=FOLDER links torch and what it needs from another environment's
site-packages instead of installing them once more.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from email import message_from_bytes
from importlib.metadata import distributions
from pathlib import Path, PurePosixPath

import pytest

from tests.paths import ROOT
from triscale import __version__

DIST = ROOT / "dist"
NAME = f"triscale-{__version__}"
ROOM = 12 * 2**30
FORBIDDEN = ("cc", "gcc", "g++", "c++", "clang", "clang++", "git", "make", "ninja")


@pytest.fixture(scope="module")
def wheel() -> Path:
    found = DIST / f"{NAME}-py3-none-any.whl"
    if not found.is_file():
        pytest.skip("there is no wheel of this version: run make dist")
    return found


def package_files() -> set[str]:
    """The files of the package that git tracks, by their names in a wheel."""
    listing = ["git", "-C", str(ROOT), "ls-files", "-z", "--", "src/triscale"]
    done = subprocess.run(listing, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("no git checkout here, so which files are the package's is unknown")
    return {name.removeprefix("src/") for name in done.stdout.split("\0") if name}


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.startswith(f"{NAME}.dist-info/")}
    assert names == package_files()


def test_the_wheel_says_its_licence_its_python_and_its_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        about = message_from_bytes(archive.read(f"{NAME}.dist-info/METADATA"))
        commands = archive.read(f"{NAME}.dist-info/entry_points.txt").decode()
        licences = [name for name in archive.namelist() if "licenses/" in name]
    assert about["License-Expression"] == "Apache-2.0"
    assert about["Requires-Python"] == ">=3.11"
    assert "triscale = triscale.cli:main" in commands
    assert licences == [f"{NAME}.dist-info/licenses/LICENSE"]


def test_the_source_archive_holds_what_builds_the_wheel(wheel: Path) -> None:
    with tarfile.open(wheel.with_name(f"{NAME}.tar.gz")) as archive:
        names = {PurePosixPath(name).relative_to(NAME).as_posix() for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"} <= names
    assert {f"src/{name}" for name in package_files()} <= names


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of an environment with the wheel."""
    place = tmp_path_factory.mktemp("empty") / "environment"
    venv.create(place, with_pip=False, symlinks=True)
    linked = os.environ.get("TRISCALE_TEST_TORCH")
    if linked:
        (site,) = place.glob("lib/python*/site-packages")
        link("torch", Path(linked), site)
    elif shutil.disk_usage(place).free < ROOM:
        pytest.skip("a torch with CUDA may take 12 GB, which this disk does not have: set TRISCALE_TEST_TORCH")
    pip = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python")]
    subprocess.run([*pip, "install", "--quiet", "--disable-pip-version-check", str(wheel)], check=True)
    return place / "bin"


def link(name: str, there: Path, here: Path) -> None:
    """Link a package and all that it requires from one site-packages into another."""
    known = {_plain(one.name): one for one in distributions(path=[str(there)])}
    waiting, seen = [_plain(name)], set[str]()
    while waiting:
        found = known.get(waiting.pop())
        if found is None or found.name in seen:  # None: required elsewhere than here
            continue
        seen.add(found.name)
        for top in {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}:
            if not (here / top).exists():
                (here / top).symlink_to((there / top).resolve())
        waiting += [
            _plain(re.split(r"[^\w.-]", one, maxsplit=1)[0]) for one in found.requires or () if "extra ==" not in one
        ]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def command(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `triscale` with nothing on the path but the environment's own commands, and a home of its own."""
    assert not [name for name in FORBIDDEN if (installed / name).exists()]
    environment = {"PATH": str(installed), "HOME": str(folder), "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}
    if "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    line = [str(installed / "triscale"), *arguments]
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_main_job_runs_from_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    shown = command(installed, tmp_path, "cost", "efficientnet_b0", "--json")
    assert (shown.returncode, '"macs": 385814752' in shown.stdout) == (0, True), shown.stderr
    options = "--phi 1 --candidates 4 --seeds 1 --epochs 2 --jobs 1 --out run"
    done = command(installed, tmp_path, "study", "smallnet_24", "--data", "flowers:80", *options.split())
    assert done.returncode == 0, done.stderr
    for name in ("report.html", "records.jsonl", "best.safetensors", "best.json"):
        assert (tmp_path / "run" / name).is_file(), name
    assert "Best of the family" in done.stdout
    again = command(installed, tmp_path, "predict", "run", "run/cam/0.png")
    assert again.returncode == 0, again.stderr


@pytest.mark.slow
def test_an_extra_that_is_missing_is_named(installed: Path, tmp_path: Path) -> None:
    done = command(installed, tmp_path, "serve", "--network", "efficientnet_lite0")
    assert done.returncode == 65
    assert "pip install" in done.stderr
    assert len(done.stderr.splitlines()) <= 3
