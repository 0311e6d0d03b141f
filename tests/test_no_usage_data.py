"""Nothing reports usage: not triscale, and no library that it starts. No connection leaves the machine.

The kernel is the witness: `strace` names every address that any process or thread of a command tries to reach, of
Python or not. Each test begins with an own home, where no choice of the user stands yet, and without a word of CI.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.paths import ROOT

_CALLS = "trace=connect,sendto,sendmsg,sendmmsg"
_ADDRESS = re.compile(r'sin6?_port=htons\((\d+)\).*?(?:inet_addr\("|inet_pton\(AF_INET6, "|AF_INET6, ")([^"]+)')
_LOCAL = re.compile(r"127\.|::1$|0\.0\.0\.0$|::$|::ffff:127\.")
_WORDS_OF_CI = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "JENKINS_URL", "NNCF_CI", "NNCF_DEV", "DO_NOT_TRACK")

Reached = Callable[[str], list[str]]


def _own_address() -> str:
    """By which others on the network reach this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _traces() -> bool:
    command = ["strace", "-f", "-qq", "-e", _CALLS, "-o", os.devnull, sys.executable, "-c", ""]
    return bool(shutil.which("strace")) and subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.fixture
def reached(tmp_path: Path) -> Iterator[Reached]:
    """Runs a program; addresses outside of this machine that it tried to reach, and what it asked a name server."""
    if not _traces():
        pytest.skip("strace is not installed, or may not trace here")
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in _WORDS_OF_CI and "PYTEST" not in name}
    environment = {
        **kept, "HOME": str(home), "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1",
        "XDG_CACHE_HOME": str(home / "cache"),
    }  # fmt: skip

    def run(program: str) -> list[str]:
        trace = tmp_path / "trace"
        command = ["strace", "-f", "-qq", "-s", "200", "-e", _CALLS, "-o", str(trace), sys.executable, "-c", program]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True, timeout=1500
        )
        assert done.returncode == 0, done.stderr[-2000:]
        calls = trace.read_text(encoding="utf-8", errors="replace").splitlines()
        found = [_ADDRESS.search(line) for line in calls]
        return sorted({f"{one[2]} port {one[1]}" for one in found if one and not _LOCAL.match(one[2])})

    yield run
    assert not [path for path in home.rglob("*") if "telemetry" in path.name.lower() or path.name == "intel"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes of 24 images each."""
    draws = np.random.default_rng(0)
    for channel, name in enumerate(("red", "green")):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for index in range(24):
            pixels = draws.integers(0, 120, (24, 24, 3), dtype=np.uint8)
            pixels[..., channel] += 120
            Image.fromarray(pixels).save(folder / f"{index}.png")
    return tmp_path / "photos"


def program(*commands: str) -> str:
    """A process that runs command lines one after another; each must end with 0."""
    lines = [f"assert main({line.split()!r}) == 0, {line!r}" for line in commands]
    return "\n".join(["from triscale.cli import main", *lines])


TRAIN = "train --network smallnet_24 --data photos --out run --epochs 3 --batch 8 --device cpu"


def test_the_witness_sees_what_leaves_the_machine_and_nothing_else(reached: Reached) -> None:
    """An address of documentation (RFC 5737) is named, a connection within the machine is not."""
    code = (
        "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))\n"
        "one = socket.create_server(('127.0.0.1', 0))\nsocket.create_connection(one.getsockname()).close()\n"
    )
    assert reached(code) == ["192.0.2.1 port 9"]


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_looking_training_using_and_exporting_reach_nobody(reached: Reached) -> None:
    assert reached(
        program(
            "networks", "cost efficientnet_b0", "check photos", TRAIN, "predict run photos",
            "evaluate run --data photos --split all", "explain run photos/red/0.png --out maps",
            "export run --out run.onnx",
            "study smallnet_24 --data photos --phi 1 --candidates 4 --seeds 1 --epochs 2 --jobs 1 --device cpu --out s",
        )
    ) == []  # fmt: skip


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
@pytest.mark.skipif(find_spec("nncf") is None, reason="needs NNCF: pip install 'triscale[int8]'")
def test_openvino_and_nncf_report_nothing(reached: Reached) -> None:
    commands = (
        TRAIN,
        "export run --out run.xml",
        "export run --out int8.xml --precision int8 --data photos --max-drop 100",
        "evaluate int8.xml --data photos --split all",
    )
    assert reached(program(*commands)) == []


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: pip install 'triscale[ray]'")
def test_ray_is_started_without_its_usage_report(reached: Reached, tmp_path: Path) -> None:
    """Ray asks which cloud it is in, by the address that clouds reserve for it; it has no switch for that."""
    code = (
        "from triscale.trials.executor.ray_connect import connect, ray_module\n"
        "assert connect('local', cores=1)\n"
        "from ray._common.usage import usage_lib\n"
        "assert not usage_lib.usage_stats_enabled()\n"
        "ray_module().shutdown()\n"
    )
    found = reached(code)
    # It asks the kernel which of its addresses leads outside, by a datagram socket that sends nothing (port 53).
    known = ("8.8.8.8 port 53", "2001:4860:4860::8888 port 53", "169.254.169.254 port 80")
    names = [one for one in found if one.endswith(" port 53") and one not in known]  # for metadata.google.internal
    assert [one for one in found if one not in (*known, *names) and _own_address() not in one] == []
    trace = (tmp_path / "trace").read_text(encoding="utf-8", errors="replace")
    assert not names or "metadata" in trace
    assert "usage-stats" not in trace


@pytest.mark.skipif(find_spec("huggingface_hub") is None, reason="needs its client: pip install 'triscale[hub]'")
def test_the_client_of_the_hub_tells_the_hub_nothing_but_what_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default its requests name the versions of torch and other libraries that are installed here."""
    from huggingface_hub import constants
    from huggingface_hub.utils import build_hf_headers

    from triscale.weights.hub import _report_nothing

    for name in ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_UPDATE_CHECK"):
        monkeypatch.setattr(constants, name, False, raising=False)
    assert "torch/" in build_hf_headers()["user-agent"]
    _report_nothing(constants)
    assert "torch/" not in build_hf_headers()["user-agent"]
