"""Hostile weights: nothing in them is executed, nothing leads out of them, and no small file takes the memory."""

import pickle
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
import safetensors.torch
import torch

from tests.weights import hostile
from tests.weights.peer_models import SMALL, small_state
from triscale.errors import InputError
from triscale.weights import Checkpoint, load_weights
from triscale.weights.read.pth import read_pth
from triscale.weights.read.sniff import opened

FORBIDDEN = {"os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect"}
_events: list[str] = []
_watching: list[bool] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if _watching and event in FORBIDDEN:
        _events.append(f"{event} {arguments}")


sys.addaudithook(_watch)


@pytest.mark.parametrize("allow_pth", [False, True])
def test_no_program_in_a_file_is_run(tmp_path: Path, allow_pth: bool) -> None:
    """Seen by what it would create, and by Python's own audit of what is called."""
    canary = tmp_path / "canary"
    files = hostile.programs(tmp_path, canary)
    _events.clear()
    _watching.append(True)
    try:
        for disguise, path in files.items():
            with pytest.raises(InputError) as caught:
                load_weights(path, "resnet18", allow_pth=allow_pth)
            assert len(str(caught.value).splitlines()) <= 3, disguise
            assert "Traceback" not in str(caught.value)
    finally:
        _watching.clear()

    assert len(files) >= 12
    assert not canary.exists()
    assert _events == []


def test_a_program_among_a_trainers_options_is_named_and_not_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    files = hostile.programs_beside_weights(tmp_path, canary, small_state())
    _events.clear()
    _watching.append(True)
    try:
        for disguise, path in files.items():
            with pytest.raises(InputError, match="none of it was run") as caught:
                load_weights(path, f"timm:{SMALL}", allow_pth=True)
            assert "\n" not in str(caught.value), disguise
    finally:
        _watching.clear()

    assert not canary.exists()
    assert _events == []


def test_an_object_of_a_stranger_is_not_made(tmp_path: Path) -> None:
    """Nothing of its class is imported or called, so that the weights beside it can be read."""
    canary = tmp_path / "canary"
    path = hostile.strangers_beside_weights(tmp_path, canary, small_state())

    found = load_weights(path, f"timm:{SMALL}", allow_pth=True)

    assert "did not read objects in it (tests.weights.hostile.Stranger)" in found.notes[0]
    assert not canary.exists()
    with pytest.raises(pickle.UnpicklingError):  # and the reader is as strict as before to everybody else
        torch.load(path, weights_only=True)


def test_a_whole_module_says_how_to_save_its_weights(tmp_path: Path) -> None:
    torch.save(torch.nn.Sequential(torch.nn.Linear(2, 2)), tmp_path / "a.pth")
    torch.save({"epoch": 3, "model": torch.nn.Linear(2, 2)}, tmp_path / "b.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, that TorchScript is old
        torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)).save(tmp_path / "c.pt")  # type: ignore[no-untyped-call]

    for name, kind in (("a.pth", "a whole module"), ("b.pth", "a whole module"), ("c.pt", "a TorchScript program")):
        with pytest.raises(InputError, match=rf"{kind}(.|\n)*torch\.save\(.*state_dict\(\)") as caught:
            load_weights(tmp_path / name, allow_pth=True)
        assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    "index",
    [
        '{"weight_map": {"w": "../x.safetensors"}}',
        '{"weight_map": {"w": "/etc/passwd"}}',
        '{"weight_map": {"w": ".."}}',
        '{"weight_map": {"w": 3}}',
        '{"weight_map": {"w": "model.safetensors.index.json"}}',
        '{"weight_map": {}}',
        "[]",
        "{",
    ],
)
def test_a_list_of_shards_leads_nowhere_else(tmp_path: Path, index: str) -> None:
    path = tmp_path / "in" / "model.safetensors.index.json"
    path.parent.mkdir()
    path.write_text(index)
    safetensors.torch.save_file(small_state(), tmp_path / "x.safetensors")

    with pytest.raises(InputError, match=r"index\.json") as caught:
        load_weights(path, f"timm:{SMALL}")

    assert "\n" not in str(caught.value)


def test_the_watch_sees_a_program_that_runs(tmp_path: Path) -> None:
    _events.clear()
    _watching.append(True)
    try:
        with hostile.programs(tmp_path, tmp_path / "canary")["pickle as .pth"].open("rb") as file:
            pickle.Unpickler(file).load()  # noqa: S301  it is the test that this runs
    finally:
        _watching.clear()

    assert (tmp_path / "canary").exists()
    assert any(event.startswith("os.system") for event in _events)


def test_a_pickle_is_refused_without_the_flag_and_read_with_it(tmp_path: Path) -> None:
    path = tmp_path / "small.pth"
    torch.save(small_state(), path)

    with pytest.raises(InputError, match=r"triscale convert .*small\.pth --allow-pth") as caught:
        load_weights(path, f"timm:{SMALL}", classes=2)

    assert len(str(caught.value).splitlines()) == 2
    assert load_weights(path, f"timm:{SMALL}", classes=2, allow_pth=True).network.classes == 2


@pytest.mark.parametrize("wrapper", ["state_dict", "model"])
def test_a_state_dict_within_a_dict_is_found(tmp_path: Path, wrapper: str) -> None:
    path = tmp_path / "wrapped.pth"
    torch.save({wrapper: small_state(), "epoch": 3}, path)

    assert load_weights(path, f"timm:{SMALL}", classes=2, allow_pth=True).network.name == "mnasnet_small"


@pytest.mark.parametrize(
    "value", [3, torch.zeros(2, device="meta"), torch.eye(2).to_sparse(), [torch.zeros(1)]], ids=str
)
def test_a_pickle_of_anything_but_plain_tensors_is_refused(tmp_path: Path, value: object) -> None:
    path = tmp_path / "odd.pth"
    torch.save({**small_state(), "odd": value}, path)

    with pytest.raises(InputError, match=r"odd\.pth"):
        load_weights(path, f"timm:{SMALL}", classes=2, allow_pth=True)


def test_an_older_torch_does_not_read_pickles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "small.pth"
    torch.save(small_state(), path)
    monkeypatch.setattr(torch, "__version__", "2.9.1")

    with pytest.raises(InputError, match=r"torch 2\.10"):
        load_weights(path, allow_pth=True)


def test_hdf5_that_leads_out_of_itself_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(64))

    for name, path in hostile.hdf5_that_lead_out(tmp_path, secret).items():
        with pytest.raises(InputError, match="not as Keras writes it"), opened(path):
            pytest.fail(f"{name} was read")


BOMB = """
import resource, sys
from triscale.errors import InputError
from triscale.weights import load_weights
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    load_weights(sys.argv[1], "resnet18", allow_pth=True)
except InputError as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, str(error).splitlines()[0])
"""


@pytest.mark.slow
def test_many_entries_beside_weights_are_passed_over_quickly(tmp_path: Path) -> None:
    path = tmp_path / "losses.pth"
    losses = dict.fromkeys(map(str, range(300_000)), 0)
    torch.save({"state_dict": {"weight": torch.zeros(2)}, "losses": losses}, path)
    started = time.process_time()
    torch.load(path, weights_only=True)
    loaded = time.process_time()

    read_pth(path, allowed=True)

    assert time.process_time() - loaded < 2.5 * (loaded - started)  # a walk whose time grows by squares took 4 times


def test_a_long_name_is_not_kept_for_all_that_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "long.pth"
    torch.save({"x" * 10_000: {"y" * 10_000: {"weight": torch.zeros(2)}}}, path)

    (group,) = read_pth(path, allowed=True).tensors

    assert len(group.where) < 500


@pytest.mark.slow
def test_small_files_that_unfold_take_no_memory(tmp_path: Path) -> None:
    for name, path in hostile.bombs(tmp_path).items():
        made = subprocess.run([sys.executable, "-c", BOMB, str(path)], capture_output=True, text=True, check=True)
        grown, _, message = made.stdout.partition(" ")
        assert path.name in message, name
        assert int(grown) * 1024 <= 200e6 + 3 * path.stat().st_size, f"{name}: {message}"


@pytest.mark.parametrize("kept", [0, 7, 9, 100, 0.3, 0.99])
@pytest.mark.parametrize("kind", ["safetensors", "pth"])
def test_a_file_that_is_cut_off_is_refused_by_name(tmp_path: Path, kind: str, kept: float) -> None:
    path = tmp_path / f"cut.{kind}"
    if kind == "pth":
        torch.save(small_state(), path)
    else:
        safetensors.torch.save_file(small_state(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if kept < 1 else int(kept)])

    with pytest.raises(InputError, match=rf"cut\.{kind}") as caught:
        load_weights(path, f"timm:{SMALL}", classes=2, allow_pth=True)

    assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.parametrize("what", ["missing", "folder", "device", "null"])
def test_what_is_no_file_is_refused(tmp_path: Path, what: str) -> None:
    places: dict[str, str | Path] = {
        "missing": tmp_path / "none", "folder": tmp_path, "device": Path("/dev/zero"), "null": "a\0b",
    }  # fmt: skip

    with pytest.raises(InputError) as caught:
        load_weights(places[what])

    assert "\n" not in str(caught.value)


def test_a_small_checkpoint_makes_no_large_network(tmp_path: Path) -> None:
    from triscale.families import network
    from triscale.spec import Preprocessing

    large = Checkpoint(
        network=network("efficientnet_l2"), state={"w": torch.zeros(1)}, classes=(), preprocessing=Preprocessing()
    )
    with pytest.raises(InputError, match="do not belong to this network"):
        large.model()
    assert tmp_path.exists()
