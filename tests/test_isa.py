"""`TRISCALE_ISA`: which instruction sets our kernels can be held to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_machine import ARM, OLD, SKYLAKE, ZEN3, proc
from triscale import isa
from triscale.errors import UsageError
from triscale.machine import NEEDS


@pytest.mark.parametrize(
    ("flags", "text", "answer"),
    [
        (ZEN3, "", None),
        (ZEN3, "avx2", "avx2"),
        (ZEN3, " AVX2 ", "avx2"),
        (ZEN3, "generic", "generic"),
        (SKYLAKE, "avx512", "avx512"),
        (OLD, "generic", "generic"),
        (ARM, "generic", "generic"),
        (ZEN3, "avx512", "this processor lacks avx512bw"),
        (OLD, "avx2", "this processor lacks abm"),
        (ARM, "avx2", "this processor lacks abm"),
        (SKYLAKE, "avx", "give generic, avx2, avx512"),
        (SKYLAKE, "native", "give generic, avx2, avx512"),
    ],
)
def test_our_kernels_are_held_to_a_set_that_the_processor_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, text: str, answer: str | None
) -> None:
    """Another one is an error that names what is missing."""
    monkeypatch.setenv("TRISCALE_ISA", text)
    if answer is None or answer in NEEDS:
        assert isa.wanted_isa(proc(tmp_path, flags)) == answer
    else:
        with pytest.raises(UsageError, match=answer):
            isa.wanted_isa(proc(tmp_path, flags))


def test_a_wrong_instruction_set_ends_every_command_with_a_message() -> None:
    environment = {**os.environ, "TRISCALE_ISA": "sse9"}
    done = subprocess.run(
        [sys.executable, "-m", "triscale", "networks"], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr == "triscale: TRISCALE_ISA is 'sse9'; give generic, avx2, avx512, or leave it unset.\n"
