"""Weights of a hub id, against a local server: what arrives, what fails in one line, and what stays in the cache."""

import json
import logging
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
from huggingface_hub import constants, utils

from tests.paths import ROOT
from tests.weights.hub_server import Hub, serving
from tests.weights.peer_models import SMALL, small_state, timm_config
from triscale.cli import main
from triscale.errors import InputError, OutputError, TriscaleError, UsageError
from triscale.spec import Norm, Preprocessing
from triscale.weights import load_weights
from triscale.weights.peers.timm import settings

NAME = f"timm/{SMALL}.test"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {
        "config.json": json.dumps(timm_config(SMALL, 2, label_names=["cat", "dog"])).encode(),
        "model.safetensors": safetensors.torch.save(small_state()),
    }


@pytest.fixture
def hub(files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one model, and a cache of its own; the client reads its variables only when it is imported."""
    with serving(Hub({NAME: dict(files)})) as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{hub.endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True, raising=False)  # older clients have none
        monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)  # between its retries
        yield hub


def test_a_hub_id_gives_network_weights_classes_and_preprocessing(hub: Hub) -> None:
    found = load_weights(f"hf-hub:{NAME}")

    assert (found.spec.name, found.spec.padding, found.spec.norm) == (
        "mnasnet_small", "symmetric", Norm(eps=1e-5, momentum=0.1),
    )  # fmt: skip
    assert hub.asked
    assert found.classes == ("cat", "dog")
    assert found.preprocessing == Preprocessing(
        mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4), interpolation="bilinear", crop=0.9, resolution=(64, 64)
    )
    assert torch.equal(found.state["stem.conv.weight"], small_state()["conv_stem.weight"])


def test_the_cache_is_asked_before_the_hub_and_serves_offline(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    load_weights(f"hf-hub:{NAME}")
    asked = len(hub.asked)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    load_weights(f"hf-hub:{NAME}")

    assert asked > 0
    assert len(hub.asked) == asked


@pytest.mark.parametrize(
    ("source", "kind", "said"),
    [
        ("hf-hub:timm/nothing", InputError, "no such model"),
        (f"hf-hub:{NAME}@nothing", InputError, "no revision 'nothing'"),
        ("hf-hub:nothing", UsageError, "not a hub id"),
        ("hf-hub:../../etc/passwd", UsageError, "not a hub id"),
        ("hf-hub:a/b c", UsageError, "not a hub id"),
    ],
)
def test_an_id_that_does_not_exist_is_told_in_one_line(
    hub: Hub, source: str, kind: type[TriscaleError], said: str
) -> None:
    with pytest.raises(kind, match=said) as caught:
        load_weights(source)

    assert "\n" not in str(caught.value)
    assert hub.endpoint


def test_no_network_is_told_in_one_line(
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Through the command line; what the client logs of its retries is not printed beside it."""
    dead = "http://127.0.0.1:9"
    monkeypatch.setattr(constants, "ENDPOINT", dead)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{dead}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    )
    utils.logging.set_verbosity_warning()
    logging.getLogger("huggingface_hub").addHandler(caplog.handler)

    code = main(["predict", "--weights", f"hf-hub:{NAME}", "photo.jpg"])
    said = capsys.readouterr()

    logging.getLogger("huggingface_hub").removeHandler(caplog.handler)
    assert (code, said.out, caplog.records) == (65, "", [])
    assert "cannot be reached" in said.err
    assert len(said.err.splitlines()) == 1
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]
    assert hub.asked == []


def test_a_hub_that_fails_is_told_in_one_line(hub: Hub) -> None:
    hub.status = 500

    with pytest.raises(InputError, match="hf-hub:") as caught:
        load_weights(f"hf-hub:{NAME}")

    assert "\n" not in str(caught.value)


def test_a_download_that_breaks_off_leaves_no_weights_and_is_made_good_later(hub: Hub, tmp_path: Path) -> None:
    hub.cut = 5_000
    with pytest.raises(InputError, match="hf-hub:") as caught:
        load_weights(f"hf-hub:{NAME}")
    half = list(tmp_path.rglob("*.safetensors"))
    hub.cut = None

    found = load_weights(f"hf-hub:{NAME}")

    assert "\n" not in str(caught.value)
    assert half == []
    assert torch.equal(found.state["classifier.weight"], small_state()["classifier.weight"])


def test_a_file_where_the_cache_should_be_is_told_in_one_line(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "place").write_text("in the way")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "place" / "cache"))

    with pytest.raises(OutputError, match="place") as caught:
        load_weights(f"hf-hub:{NAME}")

    assert "\n" not in str(caught.value)
    assert hub.endpoint


WITHOUT_PRIVILEGES = """
import os, pwd, sys
from huggingface_hub import constants
from triscale.cli import main
first, second, *arguments = sys.argv[1:]
constants.HF_HUB_CACHE = first
assert main(arguments) == 0  # what is imported late is imported now: not everybody may read this interpreter
if os.geteuid() == 0:
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
constants.HF_HUB_CACHE = second
print("now", flush=True)
sys.exit(main(arguments))
"""
"""The command twice: with a cache that can be written, and, as a user who is not root, with one that cannot."""


def test_a_cache_without_permission_is_told_in_one_line(hub: Hub, tmp_path: Path) -> None:
    """In a process that gave its privileges away: root may write anywhere."""
    if os.geteuid() == 0 and "nobody" not in {one.pw_name for one in pwd.getpwall()}:
        pytest.skip("this is root, and there is no user nobody to become")
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to others
        place = Path(folder, "place")
        place.mkdir(mode=0o555)
        Path(folder).chmod(0o755)
        variables = {"HF_ENDPOINT": hub.endpoint, "HF_HUB_DISABLE_XET": "1", "HF_HOME": folder}
        caches = [tmp_path / "cache", place / "cache"]
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_PRIVILEGES, *caches, "convert", f"hf-hub:{NAME}", "--out", "x.safetensors"],
            env=os.environ | variables | {"PYTHONPATH": str(ROOT / "src")}, cwd=folder,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert list(place.iterdir()) == []
    assert done.stdout.splitlines()[-1] == "now", done.stderr
    assert done.returncode == OutputError.exit_code
    assert str(place / "cache") in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_model_with_a_pickle_alone_needs_the_flag(hub: Hub, tmp_path: Path) -> None:
    hub.models[NAME].pop("model.safetensors")
    torch.save(small_state(), tmp_path / "x.bin")
    hub.models[NAME]["pytorch_model.bin"] = (tmp_path / "x.bin").read_bytes()

    with pytest.raises(InputError, match="allow-pth"):
        load_weights(f"hf-hub:{NAME}")

    assert load_weights(f"hf-hub:{NAME}", allow_pth=True).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (b"{", "cannot read"),
        (b"[]", "names no architecture"),
        (b'{"architecture": "../../x"}', "no network for timm's"),
        (json.dumps(timm_config(SMALL, 2, mean="x")).encode(), "mean"),
        (json.dumps(timm_config(SMALL, 2, crop_pct=7)).encode(), "crop"),
        (json.dumps(timm_config(SMALL, 2, input_size=[3, 64])).encode(), "pretrained_cfg"),
        (json.dumps(timm_config(SMALL, 2, crop_mode="border")).encode(), "border"),
        (json.dumps(timm_config(SMALL, 10**12)).encode(), "classes"),
    ],
)
def test_a_config_that_is_none_is_refused_with_its_name(hub: Hub, config: bytes, said: str) -> None:
    hub.models[NAME]["config.json"] = config

    with pytest.raises(InputError, match=said) as caught:
        load_weights(f"hf-hub:{NAME}")

    assert "config.json" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def test_weights_of_another_network_than_named_are_refused(hub: Hub) -> None:
    with pytest.raises(InputError, match="holds weights of timm:mnasnet_small, not of efficientnet_b0"):
        load_weights(f"hf-hub:{NAME}", "efficientnet_b0")

    assert load_weights(f"hf-hub:{NAME}", "mnasnet_small").network == load_weights(f"hf-hub:{NAME}").network
    assert hub.asked


@pytest.mark.parametrize(
    "model", ["efficientnet_b0", "tf_efficientnet_b0.ap_in1k", "tf_efficientnet_lite0", "resnet50.a1_in1k"]
)
def test_preprocessing_is_what_timm_resolves(model: str) -> None:
    config = timm.models.get_pretrained_cfg(model).to_dict()
    expected = timm.data.resolve_data_config({}, pretrained_cfg=config, verbose=False)

    found = settings(config)

    assert (3, *(found.resolution or ())) == tuple(expected["input_size"])
    assert (found.mean, found.std, found.crop, found.interpolation) == (
        expected["mean"], expected["std"], expected["crop_pct"], expected["interpolation"],
    )  # fmt: skip


def test_the_clients_own_variables_are_respected(files: dict[str, bytes], tmp_path: Path) -> None:
    """HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE, read by the client when it is imported: in processes of their own."""
    program = f"from triscale.weights import load_weights; print(load_weights('hf-hub:{NAME}').network.name)"
    with serving(Hub({NAME: dict(files)})) as hub:
        variables = os.environ | {
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": str(tmp_path),
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        for offline in ("0", "1"):
            made = subprocess.run(
                [sys.executable, "-c", program],
                env=variables | {"HF_HUB_OFFLINE": offline},
                capture_output=True,
                text=True,
                check=True,
            )
            assert made.stdout == "mnasnet_small\n"

    assert sum("model.safetensors" in one for one in hub.asked) in (1, 2)  # once to look, once to fetch; none offline
