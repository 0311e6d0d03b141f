"""Files as trainers write them: the right weights answer, to the bits of the library's own, and a note says which."""

import json
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
from torch import Tensor, nn

from tests.weights.peer_models import SMALL, hub_folder, peer_model, tensors_of, timm_config
from tests.weights.trainers import CASES, WITHOUT_ANSWER, halved
from triscale.cli import main
from triscale.errors import InputError
from triscale.weights import Checkpoint, load_weights

TIMM = f"timm:{SMALL}"


@pytest.fixture(scope="module")
def raw() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return tensors_of(peer_model("timm", SMALL, num_classes=2))


@pytest.fixture(scope="module")
def average() -> dict[str, Tensor]:
    torch.manual_seed(1)
    return tensors_of(peer_model("timm", SMALL, num_classes=2))


def assert_answers_as_timm(found: Checkpoint, state: dict[str, Tensor], channels: int = 3) -> None:
    theirs: nn.Module = timm.create_model(SMALL, num_classes=found.network.classes, in_chans=channels)
    theirs.load_state_dict(state)
    torch.manual_seed(0)
    x = torch.randn(2, channels, 48, 40)
    with torch.inference_mode():
        expected, answers = theirs.eval()(x), found.model()(x)
    assert float((answers - expected).abs().max()) <= 1e-5 * float(expected.abs().max())


@pytest.mark.parametrize("name", CASES)
def test_a_trainers_file_answers_as_the_library_does(
    name: str, raw: dict[str, Tensor], average: dict[str, Tensor], tmp_path: Path
) -> None:
    case, path = CASES[name], tmp_path / "trainer.pth"
    torch.save(case.made(raw, average), path)

    found = load_weights(path, TIMM, allow_pth=True)

    assert_answers_as_timm(found, raw if case.takes == "raw" else average)
    assert found.classes == ("class 0", "class 1")
    for said in (*case.said, "2 classes, as its classifier has them"):
        assert said in found.notes[0]


@pytest.mark.parametrize("name", WITHOUT_ANSWER)
def test_weights_without_a_classifier_of_ours_begin_a_training_and_answer_nothing(
    name: str, raw: dict[str, Tensor], average: dict[str, Tensor], tmp_path: Path
) -> None:
    case, path = WITHOUT_ANSWER[name], tmp_path / "trainer.pth"
    torch.save(case.made(raw, average), path)

    with pytest.raises(InputError, match="Training can start from it") as caught:
        load_weights(path, TIMM, allow_pth=True)
    found = load_weights(path, TIMM, allow_pth=True, headless=True)

    assert len(str(caught.value).splitlines()) == 2
    for said in case.said:
        assert said in str(caught.value)
        assert said in found.notes[0]
    assert not [name for name in found.state if name.startswith("classifier.")]
    assert torch.equal(found.state["head.conv.weight"], raw["conv_head.weight"])


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_halves_are_read_as_they_are(kind: torch.dtype, raw: dict[str, Tensor], tmp_path: Path) -> None:
    """What was rounded when it was saved stays rounded: the oracle gets the same numbers."""
    half = halved(raw, kind)
    safetensors.torch.save_file(half, tmp_path / "half.safetensors")

    assert_answers_as_timm(load_weights(tmp_path / "half.safetensors", TIMM), halved(half, torch.float32))


@pytest.mark.parametrize("channels", [1, 4])
def test_channels_are_read_off_the_file(channels: int, tmp_path: Path) -> None:
    state = tensors_of(peer_model("timm", SMALL, num_classes=2, in_chans=channels))
    safetensors.torch.save_file(state, tmp_path / "x.safetensors")

    found = load_weights(tmp_path / "x.safetensors", TIMM)

    assert_answers_as_timm(found, state, channels)
    assert found.network.input_channels == len(found.preprocessing.mean) == channels
    assert f"images of {channels} channel" in found.notes[0]


@pytest.mark.parametrize("model", [SMALL, "mobilenetv3_small_100", "resnet18"])
def test_features_only_begin_a_training(model: str, tmp_path: Path) -> None:
    state = tensors_of(timm.create_model(model, features_only=True))
    safetensors.torch.save_file(state, tmp_path / "x.safetensors")

    found = load_weights(tmp_path / "x.safetensors", f"timm:{model}", headless=True)

    assert found.lacks == "it holds no classifier"
    assert any(torch.equal(tensor, state[next(iter(state))]) for tensor in found.state.values())


def test_two_networks_without_a_sign_are_not_guessed(
    raw: dict[str, Tensor], average: dict[str, Tensor], tmp_path: Path
) -> None:
    torch.save({"generator": raw, "discriminator": average}, tmp_path / "two.pth")

    with pytest.raises(InputError, match=r"2 networks: generator, discriminator") as caught:
        load_weights(tmp_path / "two.pth", TIMM, allow_pth=True)

    assert len(str(caught.value).splitlines()) == 2


def test_a_teacher_of_another_model_is_no_average(raw: dict[str, Tensor], tmp_path: Path) -> None:
    """Distillation keeps a larger network beside the one that learns."""
    torch.save({"model": raw, "teacher": timm.create_model("resnet18").state_dict()}, tmp_path / "two.pth")

    assert_answers_as_timm(load_weights(tmp_path / "two.pth", TIMM, allow_pth=True), raw)
    with pytest.raises(InputError, match="2 networks"):
        load_weights(tmp_path / "two.pth", allow_pth=True)


def test_a_checkpoint_that_names_its_model_needs_no_network(tmp_path: Path) -> None:
    """The tensors of timm's B0 are named as those of its tf_ B0; `arch` of timm's train script tells them apart."""
    state = tensors_of(peer_model("timm", "tf_efficientnet_b0", num_classes=2))
    torch.save({"arch": "tf_efficientnet_b0.ns_jft_in1k", "state_dict": state}, tmp_path / "b0.pth.tar")
    torch.save({"state_dict": state}, tmp_path / "silent.pth.tar")

    found = load_weights(tmp_path / "b0.pth.tar", allow_pth=True)

    assert found.spec.padding == "same"
    assert "the model is timm:tf_efficientnet_b0, as the file names it" in found.notes[0]
    with pytest.raises(InputError, match="Say which"):
        load_weights(tmp_path / "silent.pth.tar", allow_pth=True)


@pytest.mark.parametrize("kind", ["safetensors", "bin"])
@pytest.mark.parametrize("config", [True, False])
def test_shards_are_one_file(kind: str, config: bool, raw: dict[str, Tensor], tmp_path: Path) -> None:
    stem = {"safetensors": "model", "bin": "pytorch_model"}[kind]
    names = [f"{stem}-0000{number}-of-00002.{kind}" for number in (1, 2)]
    held = {name: names[index % 2] for index, name in enumerate(raw)}
    for shard in names:
        part = {name: tensor for name, tensor in raw.items() if held[name] == shard}
        if kind == "bin":
            torch.save(part, tmp_path / shard)
        else:
            safetensors.torch.save_file(part, tmp_path / shard)
    (tmp_path / f"{stem}.{kind}.index.json").write_text(json.dumps({"weight_map": held}))
    if config:
        (tmp_path / "config.json").write_text(json.dumps(timm_config(SMALL, 2)))

    assert_answers_as_timm(load_weights(tmp_path, None if config else TIMM, allow_pth=True), raw)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["cat", "dog"], ("cat", "dog")),
        ({"0": "cat", "1": "dog"}, ("cat", "dog")),
        ({"1": "dog", "0": "cat"}, ("cat", "dog")),
        ({"0": "cat"}, ("class 0", "class 1")),
        (["cat"], ("class 0", "class 1")),
        ({"cat": 0, "dog": 1}, ("class 0", "class 1")),
        (None, ("class 0", "class 1")),
    ],
)
def test_names_of_classes_are_a_list_or_by_number(
    labels: object, classes: tuple[str, ...], raw: dict[str, Tensor], tmp_path: Path
) -> None:
    folder = hub_folder(tmp_path / "model", raw, timm_config(SMALL, 2) | {"label_names": labels})

    found = load_weights(folder)

    assert found.classes == classes
    assert ("its names are" in "".join(found.notes)) == (labels is not None and classes[0] != "cat")


def test_a_local_folder_with_a_pickle_alone_needs_the_flag(raw: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(raw, tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text(json.dumps(timm_config(SMALL, 2)))

    with pytest.raises(InputError, match="allow-pth"):
        load_weights(tmp_path)
    assert_answers_as_timm(load_weights(tmp_path, allow_pth=True), raw)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x1f\x8b\x08\x00 and so on, for a while", "compressed"),
        (b"\x93NUMPY\x01\x00 and so on, for a while", "array of NumPy"),
        (b"\x08\x08\x12\x07pytorch and so on, for a while", "ONNX"),
        (b"\x1c\x00\x00\x00TFL3 and so on, for a while", "TensorFlow Lite"),
    ],
)
def test_what_is_taken_for_weights_is_called_by_its_name(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(content)

    with pytest.raises(InputError, match=said) as caught:
        load_weights(tmp_path / "weights.pth", TIMM, allow_pth=True)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [("saved_model.pb", "SavedModel"), ("checkpoint", "TensorFlow"), (".metadata", "distributed"),
     ("zero_to_fp32.py", "DeepSpeed")],
)  # fmt: skip
def test_a_folder_in_another_form_is_called_by_its_name(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\x08\x01")

    with pytest.raises(InputError, match=said) as caught:
        load_weights(tmp_path, TIMM)

    assert "\n" not in str(caught.value)


def test_a_pickle_of_a_later_protocol_says_what_to_do(raw: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save({"state_dict": raw, "args": Path("x")}, tmp_path / "new.pth", pickle_protocol=4)

    with pytest.raises(InputError, match=r"another protocol(.|\n)*torch\.save\(model\.state_dict"):
        load_weights(tmp_path / "new.pth", TIMM, allow_pth=True)


def test_convert_says_what_it_chose_in_its_json_and_in_the_file(
    raw: dict[str, Tensor], average: dict[str, Tensor], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"state_dict": raw, "state_dict_ema": average}, tmp_path / "x.pth")
    out = tmp_path / "out.safetensors"

    code = main(["convert", str(tmp_path / "x.pth"), "--network", TIMM, "--allow-pth", "--out", str(out), "--json"])
    said = capsys.readouterr()

    assert code == 0
    document = json.loads(said.out)
    assert "took state_dict_ema, the average of the weights, not state_dict" in document["notes"][0]
    assert document["notes"][0] in said.err
    assert document["classes"] == 2
    with safetensors.safe_open(out, framework="pt") as file:
        assert json.loads(file.metadata()["notes"]) == document["notes"]
    assert torch.equal(load_weights(out).state["classifier.weight"], average["classifier.weight"])
    assert load_weights(out).notes == ()
