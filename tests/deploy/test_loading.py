"""What is opened as an exported file: ours, whole, and with nothing outside of it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch

from tests.deploy.networks import classifier, small
from tests.paths import ROOT
from triscale.deploy import export, load_exported
from triscale.errors import InputError
from triscale.seal import sealed


@pytest.fixture(scope="module")
def openvino_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("openvino") / "x.xml"
    export(classifier(small()), path)
    return path


@contextmanager
def opening() -> Iterator[set[str]]:
    """The names of the files that are opened inside of the block."""
    names: set[str] = set()
    watching = True

    def hook(event: str, given: tuple[Any, ...]) -> None:  # a hook stays for the rest of the process
        if watching and event == "open":
            names.add(Path(str(given[0])).name)

    sys.addaudithook(hook)
    try:
        yield names
    finally:
        watching = False


def resealed(path: Path, proto: Any) -> Path:
    """A file that was tampered with by somebody who knows how to seal it."""
    (entry,) = proto.metadata_props
    entry.value = json.dumps({**json.loads(entry.value), "seal": "sha256-" + "0" * 64}, sort_keys=True)
    path.write_bytes(sealed(proto.SerializeToString()))
    return path


@pytest.mark.parametrize("place", ["../../secret", "beside.bin", "link.bin", "ABSOLUTE"])
@pytest.mark.parametrize("where", ["weights", "a constant in a subgraph"])
def test_weights_in_other_files_are_refused_before_anything_is_opened(
    onnx_file: Path, tmp_path: Path, place: str, where: str
) -> None:
    """However they are named, and however deep; an audit hook would see the other file opened."""
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(1 << 16))
    (tmp_path / "link.bin").symlink_to(secret)
    (tmp_path / "beside.bin").write_bytes(bytes(1 << 16))
    proto = onnx.load(onnx_file)
    tensor = proto.graph.initializer[0]
    if where != "weights":
        node = proto.graph.node.add(op_type="If")
        tensor = node.attribute.add(name="then_branch", type=onnx.AttributeProto.GRAPH).g.initializer.add(name="x")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=str(secret) if place == "ABSOLUTE" else place)
    path = resealed(tmp_path / "x.onnx", proto)
    with opening() as names, pytest.raises(InputError, match="from another file"):
        load_exported(path)
    assert "x.onnx" in names
    assert not {"secret", "link.bin", "beside.bin"} & names


def test_a_resealed_file_is_taken_so_the_refusals_above_have_their_own_reason(onnx_file: Path, tmp_path: Path) -> None:
    assert load_exported(resealed(tmp_path / "x.onnx", onnx.load(onnx_file))).resolution == (33, 47)


def test_a_flipped_bit_anywhere_is_noticed(onnx_file: Path, tmp_path: Path) -> None:
    whole, path = onnx_file.read_bytes(), tmp_path / "x.onnx"
    for place in range(7, len(whole), len(whole) // 20):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        with pytest.raises(InputError, match=str(path)):
            load_exported(path)


@pytest.mark.parametrize("part", [0, 0.1, 0.5, 0.999])
def test_a_cut_file_is_wrong_input(onnx_file: Path, tmp_path: Path, part: float) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(onnx_file.read_bytes()[: int(part * onnx_file.stat().st_size)])
    with pytest.raises(InputError) as error:
        load_exported(path)
    assert len(str(error.value).splitlines()) <= 3


def test_a_file_without_a_lock_is_refused(tmp_path: Path) -> None:
    """Another program's ONNX does not say how its images are prepared."""
    shape = [1, 3, 8, 8]
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ("x", "y")]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g", values[:1], values[1:])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "x.onnx")
    with pytest.raises(InputError, match="does not say how its images are prepared"):
        load_exported(tmp_path / "x.onnx")


@pytest.mark.parametrize("name", ["none.onnx", "folder.onnx", "x.txt", "null\0.onnx"])
def test_what_is_no_exported_file_is_wrong_input(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(InputError):
        load_exported(tmp_path / name)


def test_openvino_answers_in_float32_from_its_two_files(openvino_file: Path) -> None:
    """At its default precision it is off by some thousandths of the largest logit on many processors."""
    found, wanted = load_exported(openvino_file), classifier(small())
    given = torch.randn(3, 3, 24, 24)
    logits = wanted.logits(given)
    assert (found.logits(given) - logits).abs().max() <= 1e-5 * logits.abs().max()
    assert found.about.proof["runtime"].startswith("OpenVINO")


@pytest.mark.parametrize("fault", ["other weights", "flipped graph", "no weights"])
def test_openvinos_files_belong_together(openvino_file: Path, tmp_path: Path, fault: str) -> None:
    text, weights = bytearray(openvino_file.read_bytes()), bytearray(openvino_file.with_suffix(".bin").read_bytes())
    if fault == "other weights":
        weights[len(weights) // 2] ^= 1
    elif fault == "flipped graph":
        text[text.index(b'shape="')] ^= 1
    (tmp_path / "x.xml").write_bytes(text)
    if fault != "no weights":
        (tmp_path / "x.bin").write_bytes(weights)
    with pytest.raises(InputError):
        load_exported(tmp_path / "x.xml")


def test_openvino_tells_nobody_that_it_is_used(openvino_file: Path, tmp_path: Path) -> None:
    """Its own import writes an id of the user into the home folder and sends it to its maker."""
    code = f"from triscale.deploy import load_exported; load_exported({str(openvino_file)!r})"
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert list(tmp_path.rglob("*openvino*")) == []


def test_the_room_loads_no_extra_before_it_is_needed() -> None:
    code = (
        "import sys, triscale.deploy; "
        "print(*sorted({'fastapi', 'uvicorn', 'onnx', 'onnxruntime', 'onnxscript', 'openvino'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"
