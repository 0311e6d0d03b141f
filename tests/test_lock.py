"""One process at a time in a run folder."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from triscale.errors import BusyError, OutputError
from triscale.lock import locked


def test_a_held_folder_is_busy_and_free_afterwards(tmp_path: Path) -> None:
    folder, found = tmp_path / "deep" / "run", list[BaseException]()

    def enter() -> None:
        try:
            with locked(folder):
                pass
        except BusyError as error:
            found.append(error)

    def elsewhere() -> list[BaseException]:
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        return found

    with locked(folder):
        assert "run" in str(elsewhere()[0]), "another thread of this process"
        with locked(folder):  # the holder itself may enter
            pass
        assert len(elsewhere()) == 2, "it is held until the outer block ends"
    assert len(elsewhere()) == 2


def test_another_process_finds_it_busy(tmp_path: Path) -> None:
    code = f"from pathlib import Path; from triscale.lock import locked; locked(Path({str(tmp_path)!r})).__enter__()"
    with locked(tmp_path):
        held = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    free = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "BusyError" in held.stderr
    assert free.returncode == 0


def test_a_holder_that_is_killed_leaves_it_free(tmp_path: Path) -> None:
    """The system frees the lock; the file that stays means nothing."""
    code = (
        f"import os, signal; from pathlib import Path; from triscale.lock import locked\n"
        f"with locked(Path({str(tmp_path)!r})): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert (tmp_path / ".lock").exists()
    with locked(tmp_path):
        pass


def test_a_holder_that_is_killed_leaves_it_free_whatever_children_it_had(tmp_path: Path) -> None:
    """A forked child lives on with all the files that were open."""
    code = (
        f"import os, signal, time; from pathlib import Path; from triscale.lock import locked\n"
        f"with locked(Path({str(tmp_path)!r})):\n"
        f"    ready, write = os.pipe()\n"
        f"    if (child := os.fork()) == 0: os.write(write, b'1'); time.sleep(60)\n"
        f"    print(child, os.read(ready, 1), flush=True)\n"
        f"    os.kill(os.getpid(), signal.SIGKILL)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline().split()[0])
        try:
            assert holder.wait() == -signal.SIGKILL
            with locked(tmp_path):
                pass
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"), locked(tmp_path / "file" / "run"):
        raise AssertionError


def test_a_busy_folder_that_no_option_names_says_what_else_helps(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from triscale.lock import locked\n"
        "with locked(Path(sys.argv[1]), instead='set TRISCALE_CACHE to another folder'): pass"
    )
    with locked(tmp_path):
        held = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False)
    assert "wait for it, or set TRISCALE_CACHE to another folder." in held.stderr
    assert "--out" not in held.stderr
