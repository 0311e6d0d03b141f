"""The description of the machine that goes into every record."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from triscale import machine as described

ZEN3 = "fpu avx avx2 abm bmi1 bmi2 f16c fma movbe"
SKYLAKE = f"{ZEN3} avx512f avx512bw avx512cd avx512dq avx512vl"
SAPPHIRE = f"{SKYLAKE} avx512_bf16 amx_bf16 amx_tile amx_int8"
OLD, ARM = "fpu sse4_2 avx", "fp asimd bf16 i8mm"
VARIABLES = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "TRISCALE_ISA")


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Without the variables that hold torch or our kernels to less."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def proc(folder: Path, flags: str) -> Path:
    """A folder as /proc of a machine with two such cores."""
    key = "Features" if "asimd" in flags else "flags\t"
    (folder / "cpuinfo").write_text(f"processor\t: 0\nmodel name\t: A\n{key}\t: {flags}\nvmx flags\t: ept\n" * 2)
    return folder


def test_machine_is_json_and_names_a_processor() -> None:
    """A record is JSON, and a number without a processor's name cannot be compared with anything."""
    description = described.machine()
    assert json.loads(json.dumps(description)) == description
    assert description["cpu"]
    assert 1 <= int(description["cores"] or 0) <= (os.cpu_count() or 1)


def test_describing_the_machine_loads_no_torch() -> None:
    """The version of torch is reported when it is loaded, and is no reason to load it."""
    code = "import sys; from triscale.machine import machine; print(machine()['torch'], 'torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert answer.split() == ["None", "False"]


def test_a_containers_limits_count(tmp_path: Path) -> None:
    """A container that may use one core of many is a machine with one core; the same for memory."""
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text("1048576\n")
    assert described._cores(tmp_path) == 1
    assert described._memory(tmp_path) == 1 << 20


def test_no_limit_means_the_whole_machine(tmp_path: Path) -> None:
    """`max` and an absent file both mean that there is no limit."""
    bare = (described._cores(tmp_path / "absent"), described._memory(tmp_path / "absent"))
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert (described._cores(tmp_path), described._memory(tmp_path)) == bare


def test_a_machine_without_cpuinfo_still_has_a_name(tmp_path: Path) -> None:
    """Systems without /proc fall back to what Python knows."""
    assert described._cpu(tmp_path / "absent")


@pytest.mark.parametrize(
    ("flags", "isa", "fast"),
    [
        (OLD, "", False),
        (ZEN3, "avx2", False),
        (SKYLAKE, "avx2 avx512", False),
        (SAPPHIRE, "avx2 avx512 bf16 amx", True),
        (ARM, "bf16", True),
    ],
)
def test_the_instruction_sets_are_those_of_the_processor(
    tmp_path: Path, flags: str, isa: str, unlimited: pytest.MonkeyPatch, *, fast: bool
) -> None:
    del unlimited
    assert described._isa(described.features(proc(tmp_path, flags))) == isa
    assert described.bfloat16_is_fast(tmp_path) is fast


@pytest.mark.parametrize(
    ("limit", "fast"), [("AVX2", False), ("avx512_core", False), ("AVX512_CORE_BF16", True), ("ALL", True)]
)
def test_bfloat16_is_slow_where_onednn_is_held_to_less(
    tmp_path: Path, unlimited: pytest.MonkeyPatch, limit: str, *, fast: bool
) -> None:
    unlimited.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert described.bfloat16_is_fast(proc(tmp_path, SAPPHIRE)) is fast


def test_a_system_that_says_nothing_of_its_processor_leaves_it_open(tmp_path: Path) -> None:
    assert described._isa(described.features(tmp_path)) is None
    assert described.bfloat16_is_fast(tmp_path) is None


def test_the_limits_of_the_environment_are_told(unlimited: pytest.MonkeyPatch) -> None:
    assert described.machine()["isa_limits"] is None
    for name in VARIABLES:
        unlimited.setenv(name, "avx2")
    assert described.machine()["isa_limits"] == " ".join(f"{name}=avx2" for name in VARIABLES)


def test_torchs_own_word_is_taken_where_it_is_loaded() -> None:
    """Its answer under a limit is the oracle; a new process, as torch looks at the environment once."""
    code = "import torch; from triscale.machine import machine; m = machine(); print(m['torch_isa'], "
    code += "torch.backends.cpu.get_cpu_capability(), m['isa_limits'])"
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    environment["ATEN_CPU_CAPABILITY"] = "default"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    ours, theirs, limits = answer.stdout.split()
    assert ours == theirs
    assert limits == "ATEN_CPU_CAPABILITY=default"
