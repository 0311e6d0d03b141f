"""The instruction set that `TRISCALE_ISA` holds our kernels to: what is compiled, and that it does the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from triscale.machine import ISA, NEEDS, features
from triscale.nn.fast import native

SCRIPT = """
import json
import torch
from triscale.nn.fast import native
from triscale.nn.fast.depthwise import use

why = native.missing()
torch.manual_seed(0)
conv = torch.nn.Conv2d(40, 40, 5, padding=2, groups=40, bias=False)
x = torch.randn(2, 40, 9, 12).to(memory_format=torch.channels_last).requires_grad_()
if why is None:
    use(conv, "native")
conv(x).square().sum().backward()
print(json.dumps([why, native.build_digest(), x.grad.flatten().tolist(), conv.weight.grad.flatten().tolist()]))
"""
POSSIBLE = [None, *(isa for isa, needs in NEEDS.items() if needs <= features())]
COMPILER = pytest.mark.skipif(not native.available(), reason=f"no compiled kernels: {native.missing()}")


def in_a_process(isa: str | None, cache: Path) -> subprocess.CompletedProcess[str]:
    """The kernels of that instruction set at work: torch and ours look at the environment once a process."""
    environment = {**os.environ, "TRISCALE_CACHE": str(cache), ISA: isa or ""}
    return subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, env=environment)


@COMPILER
def test_each_instruction_set_has_flags_and_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels of one are never loaded for another."""
    builds = {}
    for isa in (None, *NEEDS):
        monkeypatch.setattr(native, "wanted_isa", lambda isa=isa: isa)
        builds[isa] = native._build.__wrapped__()
    assert len({build.digest for build in builds.values()}) == len(builds)
    levels = {isa: [flag for flag in build.flags if flag.startswith("-march")] for isa, build in builds.items()}
    assert levels == {
        None: ["-march=native"], "generic": [], "avx2": ["-march=x86-64-v3"], "avx512": ["-march=x86-64-v4"],
    }  # fmt: skip


@COMPILER
@pytest.mark.slow
def test_each_instruction_set_gives_the_same_gradients(tmp_path: Path) -> None:
    """All that this processor can run; each takes ten seconds to compile."""
    found = {isa: json.loads(in_a_process(isa, tmp_path).stdout) for isa in POSSIBLE}
    assert {isa: one[0] for isa, one in found.items()} == dict.fromkeys(POSSIBLE)
    assert len({one[1] for one in found.values()}) == len(POSSIBLE) == len(list(tmp_path.glob("kernels-*.so")))
    for one in found.values():
        for values, wanted in zip(one[2:], found["generic"][2:], strict=True):
            assert values == pytest.approx(wanted, rel=1e-4, abs=1e-3)


def test_what_there_is_not_is_an_error_and_no_missing_compiler(tmp_path: Path) -> None:
    done = in_a_process("sse9", tmp_path)
    assert "UsageError: TRISCALE_ISA is 'sse9'; give generic, avx2, avx512" in done.stderr
    assert not list(tmp_path.iterdir())
