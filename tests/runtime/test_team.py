"""The threads of compiled networks without a network: a program of C++ that checks each step and each tile."""

import subprocess
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.runtime.test_compiled_networks import COMPILER
from triscale import runtime

pytestmark = COMPILER
SOURCE = ROOT / "tests" / "runtime" / "team.cpp"
CLAIMS = {
    "order": "every step begins when all of the one before are done, and every tile runs once, for 2, 3 and 7 threads",
    "meet": "two threads are inside of a step at once, whether they are new or slept",
    "forked": "a forked process computes alone and frees the instance; its parent goes on with its threads",
    "many": "threads end with their instance, 200 times",
    "choice": "one thread goes alone where several lost more than they saved, until that is a small part",
}


def built(folder: Path, *flags: str) -> Path:
    """The program."""
    kernels = Path(runtime.__file__).parent / "kernels"
    program = folder / "team"
    command = ["g++", "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", *flags, f"-I{kernels}", str(SOURCE)]
    done = subprocess.run([*command, "-o", str(program), "-pthread"], capture_output=True, text=True, check=False)
    if flags and "cannot find" in done.stderr:
        pytest.skip("the compiler has no sanitizer here")
    assert done.returncode == 0, done.stderr
    return program


def faults(program: Path, name: str) -> str:
    """What a part of the program found; empty if nothing."""
    done = subprocess.run([str(program), name], capture_output=True, text=True, check=False, timeout=300)
    return "" if done.returncode == 0 else f"{name}: {CLAIMS[name]}: {done.stdout}{done.stderr[:2000]}"


def test_threads_share_tiles_in_order_and_end(tmp_path: Path) -> None:
    program = built(tmp_path)
    assert [found for name in CLAIMS if (found := faults(program, name))] == []


@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", ["thread", "address,undefined"])
def test_sanitizers_find_nothing_in_threads(tmp_path: Path, sanitizer: str) -> None:
    """ThreadSanitizer knows no fork of a program with threads."""
    program = built(tmp_path, f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all", "-g")
    names = [name for name in CLAIMS if (name, sanitizer) != ("forked", "thread")]
    assert [found for name in names if (found := faults(program, name))] == []
