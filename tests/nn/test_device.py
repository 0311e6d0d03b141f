"""The device that is asked for is the device that is used, or one line says what there is."""

from collections.abc import Iterator

import pytest
import torch

from triscale.errors import InputError, UsageError
from triscale.nn import device_name, devices, place


@pytest.fixture
def threads() -> Iterator[int]:
    """The threads of this process, as they were afterwards."""
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


def gpus(monkeypatch: pytest.MonkeyPatch, names: list[str], *, mps: bool = False) -> None:
    """What torch would say on a machine with these GPUs."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(names))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: names[device.index])
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize("text", ["cpu", "CPU", "cpu:0"])
def test_the_cpu_is_always_there(text: str) -> None:
    assert place(text) == torch.device("cpu")
    assert devices()[0] == "cpu"
    assert device_name(place(text)) is None


def test_the_default_is_a_gpu_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, [], mps=True)
    assert place() == torch.device("cpu")
    gpus(monkeypatch, ["NVIDIA H200", "NVIDIA T4"])
    assert place() == torch.device("cuda:0")
    assert device_name(place()) == "NVIDIA H200"


@pytest.mark.parametrize(
    ("text", "exact"), [("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("mps", "mps"), ("mps:0", "mps")]
)
def test_a_device_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch, text: str, exact: str) -> None:
    gpus(monkeypatch, ["NVIDIA H200", "NVIDIA T4"], mps=True)
    assert place(text) == torch.device(exact)


@pytest.mark.parametrize("text", ["cuda", "cuda:0", "mps", "cpu:1"])
def test_a_device_that_is_not_there_is_wrong_input_and_says_what_is(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    gpus(monkeypatch, [])
    with pytest.raises(InputError, match=f"^there is no device {text} here; there is cpu\\.$"):
        place(text)


def test_what_there_is_has_names(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, ["NVIDIA H200"])
    with pytest.raises(InputError, match=r"no device cuda:7 here; there is cpu, cuda:0 \(NVIDIA H200\)\.$"):
        place("cuda:7")


@pytest.mark.parametrize("text", ["", "gpu", "cuda:", "cuda:-1", "cuda:1:2", "meta", "cuda:x", " cpu", "cuda:٣"])
def test_a_device_that_is_none_is_a_wrong_use(text: str) -> None:
    with pytest.raises(UsageError, match=r"^unknown device .*; give cpu, cuda, cuda:1 or mps\.$"):
        place(text)


def test_threads_are_set_where_they_are_given(threads: int) -> None:
    place("cpu")
    assert torch.get_num_threads() == threads
    place("cpu", threads + 1)
    assert torch.get_num_threads() == threads + 1


@pytest.mark.parametrize("number", [0, -2])
def test_fewer_threads_than_one_are_a_wrong_use(threads: int, number: int) -> None:
    with pytest.raises(UsageError, match=f"^threads is {number}; give at least 1"):
        place("cpu", number)
    assert torch.get_num_threads() == threads


def test_threads_stay_where_the_device_is_refused(threads: int) -> None:
    with pytest.raises(UsageError):
        place("gpu", threads + 1)
    assert torch.get_num_threads() == threads
