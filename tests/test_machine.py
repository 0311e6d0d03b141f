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


def _written(folder: Path, **files: str) -> Path:
    """A folder with these files; `__` in a name stands for a dot."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")
    return folder


@pytest.fixture
def sixty_four(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may run on 64 cores."""
    monkeypatch.setattr(described, "allowed_cores", lambda: frozenset(range(64)))


@pytest.mark.usefixtures("sixty_four")
def test_a_containers_limits_count(tmp_path: Path) -> None:
    """A container that may use half a core of many is a machine with one core; the same for memory."""
    _written(tmp_path, cpu__max="50000 100000", memory__max="1048576")
    assert described.cores(tmp_path) == 1
    assert described._memory(tmp_path) == 1 << 20


@pytest.mark.usefixtures("sixty_four")
def test_the_first_version_of_control_groups_counts(tmp_path: Path) -> None:
    _written(tmp_path / "cpu", cpu__cfs_quota_us="250000", cpu__cfs_period_us="100000")
    _written(tmp_path / "memory", memory__limit_in_bytes="1048576")
    assert described.cores(tmp_path) == 3
    assert described._memory(tmp_path) == 1 << 20


@pytest.mark.usefixtures("sixty_four")
@pytest.mark.parametrize(
    ("row", "place", "files"),
    [
        ("0::/batch/job7/step", "batch/job7", {"cpu__max": "200000 100000"}),
        ("0::/batch/job7/step", "batch/job7/step", {"cpu__max": "200000 100000"}),
        ("4:cpu,cpuacct:/job7", "cpu/job7", {"cpu__cfs_quota_us": "200000", "cpu__cfs_period_us": "100000"}),
        ("4:cpu,cpuacct:/docker/x", "cpu", {"cpu__cfs_quota_us": "200000", "cpu__cfs_period_us": "100000"}),
    ],
)
def test_a_quota_counts_on_any_level_above_the_process(
    tmp_path: Path, row: str, place: str, files: dict[str, str]
) -> None:
    """As systemd and batch systems set them; a container names a group of its host that it does not see."""
    _written(tmp_path / "proc" / "self", cgroup=f"9:name=systemd:/\n{row}")
    _written(tmp_path / "groups" / place, **files)
    assert described.cores(tmp_path / "groups", tmp_path / "proc") == 2


@pytest.mark.usefixtures("sixty_four")
def test_the_least_of_several_quotas_counts_and_never_more_than_the_cores(tmp_path: Path) -> None:
    _written(tmp_path / "proc" / "self", cgroup="0::/a/b")
    _written(tmp_path / "groups" / "a", cpu__max="300000 100000")
    _written(tmp_path / "groups" / "a" / "b", cpu__max="9900000 100000")
    assert described.cores(tmp_path / "groups", tmp_path / "proc") == 3
    _written(tmp_path / "groups" / "a", cpu__max="9800000 100000")
    assert described.cores(tmp_path / "groups", tmp_path / "proc") == 64


def test_no_limit_means_the_whole_machine(tmp_path: Path) -> None:
    """`max`, `-1` and an absent file all mean that there is no limit."""
    bare = (described.cores(tmp_path / "absent"), described._memory(tmp_path / "absent"))
    assert bare[0] == len(described.allowed_cores())
    _written(tmp_path, cpu__max="max 100000", memory__max="max")
    _written(tmp_path / "cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    assert (described.cores(tmp_path), described._memory(tmp_path)) == bare
    _written(tmp_path / "cpu", cpu__cfs_quota_us="100000", cpu__cfs_period_us="0")
    _written(tmp_path / "memory", memory__limit_in_bytes=str(0x7FFFFFFFFFFFF000))
    assert (described.cores(tmp_path), described._memory(tmp_path)) == bare


@pytest.mark.skipif(sys.platform != "linux", reason="affinity is Linux's")
def test_affinity_limits_the_cores() -> None:
    """`taskset` and batch systems hold a process to some cores."""
    code = "import os; from triscale.machine import cores; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    answer = subprocess.run([sys.executable, "-c", f"{code}print(cores())"], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["1"]


@pytest.mark.skipif(sys.platform != "linux", reason="affinity is Linux's")
def test_a_thread_is_pinned_and_those_that_it_starts_too() -> None:
    """The system's own list is the oracle."""
    code = (
        "import os, threading; from triscale.machine import allowed_cores, pin; least = min(allowed_cores()); "
        "found = []; assert pin((least,)); "
        "thread = threading.Thread(target=lambda: found.append(os.sched_getaffinity(0))); "
        "thread.start(); thread.join(); print(found == [{least}], pin((100_000,)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_each_physical_core_is_taken_before_siblings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(described, "allowed_cores", lambda: frozenset({0, 1, 2, 3, 9}))
    for core, siblings in {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}.items():
        _written(tmp_path / f"cpu{core}" / "topology", thread_siblings_list=siblings)
    assert described.separate_cores(9, tmp_path) == (0, 1, 9, 2, 3)
    assert described.separate_cores(2, tmp_path) == (0, 1)


def test_free_memory_is_what_the_system_estimates_within_a_containers_limit(tmp_path: Path) -> None:
    _written(tmp_path / "proc", meminfo="MemTotal: 9 kB\nMemAvailable:  7 kB")
    assert described.free_memory(tmp_path / "absent", tmp_path / "proc") == 7 * 1024
    _written(tmp_path / "groups", memory__max="4096")
    assert described.free_memory(tmp_path / "groups", tmp_path / "proc") == 4096
    assert described.free_memory(tmp_path / "absent", tmp_path / "absent") is None


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
