"""What is missing, slow or broken is found, with one line on what to do."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch

from tests.paths import ROOT
from triscale.diagnosis import Diagnosis, Finding, diagnose
from triscale.diagnosis.kernels_found import compiled_kernels
from triscale.diagnosis.packages_found import _problem, extra_packages, required_packages
from triscale.diagnosis.processor_found import processor
from triscale.diagnosis.requirement import Requirement, installed_version, read
from triscale.diagnosis.storage_found import storage
from triscale.diagnosis.torch_found import gpus
from triscale.machine import cores

HIDE = """
import sys
class Hiding:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, *more):
        return None if name.partition(".")[0] in {hidden!r} else self.finder.find_spec(name, *more)
sys.meta_path[:] = map(Hiding, sys.meta_path)
from triscale.cli import main
sys.exit(main(["doctor", *{arguments!r}]))
"""


def doctor_without(hidden: set[str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command in a process that does not find some packages."""
    code = HIDE.format(hidden=hidden, arguments=list(arguments))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def named(findings: "Diagnosis | list[Finding]", name: str) -> Finding:
    """The finding about something."""
    known = findings.findings if isinstance(findings, Diagnosis) else findings
    return next(one for one in known if one.name == name)


def requirement(name: str, lowest: str | None = None, extra: str | None = None) -> Requirement:
    """A requirement as our metadata have it."""
    return Requirement(name=name, lowest=lowest, exactly=False, extra=extra)


def test_this_machine_is_fine_and_every_problem_has_one_line_of_advice() -> None:
    found = diagnose()
    assert found.broken == ()
    assert {one.topic for one in found.findings} >= {"required", "processor", "kernels", "gpu", "storage"}
    assert named(found, "torch").found == torch.__version__.partition("+")[0]
    for one in found.findings:
        assert one.state == "ok" or one.advice or one.topic == "gpu", one
        assert "\n" not in one.found + (one.advice or "")


def test_without_torch_the_rest_is_still_examined_and_the_exit_code_is_69() -> None:
    done = doctor_without({"torch"}, "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["fine"], found["broken"]) == (69, False, ["torch"])
    torch_found = next(one for one in found["findings"] if one["name"] == "torch")
    assert "No module named 'torch'" in torch_found["found"]
    assert torch_found["advice"].startswith("pip install")
    assert {one["topic"] for one in found["findings"]} >= {"required", "processor", "kernels", "storage"}
    assert done.stderr == "triscale: missing or broken: torch; what to do is listed above.\n"


def test_a_missing_extra_is_no_fault() -> None:
    done = doctor_without({"onnx", "fastapi"})
    assert done.returncode == 0, done.stderr
    assert "-> pip install 'triscale[export]'" in done.stdout
    assert "-> pip install 'triscale[serve]'" in done.stdout


def test_packages_that_are_missing_or_too_old_are_named_with_the_line_for_pip() -> None:
    wanted = [requirement("numpy", "2000"), requirement("no-such-package", "1"), requirement("rich")]
    found = list(required_packages(wanted))
    assert named(found, "numpy").found.endswith("but numpy>=2000 is required")
    assert named(found, "no-such-package").found == "not installed"
    assert named(found, "no-such-package").advice == "pip install --force-reinstall 'no-such-package>=1'"
    assert [one.state for one in found] == ["ok", "ok", "broken", "broken", "ok"]


def test_a_package_is_found_whatever_the_name_that_is_imported() -> None:
    """Everything that pyproject.toml names and that is installed here: pillow is PIL, mkdocs-material is material."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(one for lines in project["optional-dependencies"].values() for one in lines)]
    known = [found for line in lines if (found := read(line)) is not None and installed_version(found.name)]
    assert {"pillow", "pytest"} <= {one.name for one in known}
    assert [one.name for one in known if "missing" in (_problem(one) or "")] == []


def test_a_package_whose_files_are_gone_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triscale.diagnosis.packages_found.find_spec", lambda _: None)
    assert "its files are missing" in str(_problem(requirement("pillow")))


def test_an_extra_is_absent_if_one_of_its_packages_is() -> None:
    (found,) = extra_packages([requirement("rich", None, "serve"), requirement("no-such-package", None, "serve")])
    assert (found.name, found.state, found.advice) == ("serve", "absent", "pip install 'triscale[serve]'")
    assert "no-such-package: not installed" in found.found


def test_without_a_compiler_the_advice_is_to_install_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = compiled_kernels()
    assert (found.name, found.state) == ("compiler", "slow")
    assert "apt install g++" in str(found.advice)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_driver_that_torch_does_not_use_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = gpus()
    assert (found.state, found.advice is None) == ("slow", False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert [one.state for one in gpus()] in (["absent"], ["slow"])  # a device file is a driver too


def test_more_threads_than_cores_are_reported_with_the_number_to_set() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(cores() + 3)
        found = named(list(processor()), "threads")
    finally:
        torch.set_num_threads(before)
    assert found.state == "slow"
    assert f"OMP_NUM_THREADS={cores()}" in str(found.advice)


def test_limits_on_instructions_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    found = named(list(processor()), "torch uses")
    assert (found.state, found.advice) == ("slow", "unset ONEDNN_MAX_CPU_ISA to use all of the processor")


def test_the_cache_is_measured_by_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path))
    (tmp_path / "0123-2-train-24x24.npy").write_bytes(bytes(3000))
    (tmp_path / "kernels-0123.so").write_bytes(bytes(2000))
    (tmp_path / "network-0123.so").write_bytes(bytes(48))
    (tmp_path / "latency").mkdir()
    (tmp_path / "latency" / "torch.json").write_bytes(bytes(1024))
    found = {one.name: one for one in storage()}
    assert found["cache"].found == f"{tmp_path}: 5.93 KiB"
    assert found["cache"].advice == f"rm -r {tmp_path} clears it; what is needed is made again"
    assert found["rendered images"].found == "2.93 KiB"
    assert found["compiled kernels and networks"].found == "2.00 KiB"
    assert found["calibrations of latency"].found == "1.00 KiB"


def test_a_cache_that_cannot_be_written_to_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("TRISCALE_CACHE", str(blocked / "cache"))
    found = named(list(storage()), "cache")
    assert (found.state, found.advice) == ("broken", "let TRISCALE_CACHE name a folder that can be written to")
