"""An export proves itself, carries the whole lock, and leaves nothing behind when it fails."""

import json
import resource
import sys
from pathlib import Path

import pytest
import torch

import triscale
from tests.deploy.networks import NAMES, classifier, logits_of, small
from tests.paths import ROOT
from triscale.deploy import TOLERANCE, AutoRequest, Lowering, export, export_fastest, kind_of, load_exported
from triscale.deploy.proof import PICTURES, pictures, prove
from triscale.deploy.proven_export import proven_sizes
from triscale.errors import InputError, NumericError, StorageError, UsageError
from triscale.spec import content_hash
from triscale.weights import Classifier, load_classifier

FAMILIES = {
    "mobilenet_v3_small": ((64, 64), {"width": 0.5}),
    "resnet18": ((64, 80), {"width": 0.25}),
    "efficientnet_b0": ((64, 64), {}),
    "amoebanet_b": ((64, 65), {"width": 0.06, "depth": 0.2}),
}


@pytest.fixture(scope="module")
def plain() -> Classifier:
    """Symmetric padding."""
    return classifier(small())


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_same_jpeg_gives_the_same_logits_by_the_lock_in_the_file(
    checkpoint: Path, onnx_file: Path, picture: Path
) -> None:
    """At 33x47 px, where SAME padding is uneven; another preparation of the images would be noticed."""
    found, wanted = load_exported(onnx_file), logits_of(load_classifier(checkpoint), picture)
    assert (logits_of(found, picture) - wanted).abs().max() < 1e-3
    for name, other in (("mean", (0.5, 0.5, 0.5)), ("interpolation", "nearest"), ("crop", 1.0)):
        held = found.held_to({}, {name: other})
        assert (logits_of(held, picture) - wanted).abs().max() > 1e-2, f"{name} does not count in this test"


def test_the_file_holds_the_whole_lock_and_the_proof(same: Classifier, onnx_file: Path) -> None:
    import onnx

    (entry,) = onnx.load(onnx_file).metadata_props
    about = json.loads(entry.value)
    assert entry.key == "triscale"
    assert (about["network"]["name"], about["hash"]) == (same.network.name, content_hash(same.network))
    assert (about["classes"], about["triscale"]) == (list(NAMES), triscale.__version__)
    assert about["preprocessing"]["resolution"] == [33, 47]
    assert about["preprocessing"]["interpolation"] == "bicubic"
    assert about["proof"]["pictures"] == PICTURES
    assert all(about["proof"][kind]["difference"] <= about["proof"][kind]["allowed"] for kind in ("normal", "strong"))
    assert about["proof"]["agreed"] == about["proof"]["decided"] > 90


def test_the_graph_has_names_an_open_batch_and_a_fixed_size(onnx_file: Path) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx_file)
    (given,), (made,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape) == ("pictures", ["batch", 3, 33, 47])
    assert (made.name, made.shape) == ("logits", ["batch", len(NAMES)])


def test_any_batch_is_taken_and_another_size_is_not(same: Classifier, onnx_file: Path) -> None:
    found = load_exported(onnx_file)
    given = torch.randn(5, 3, 33, 47)
    assert torch.allclose(found.logits(given), same.logits(given), atol=1e-4)
    assert torch.allclose(found.logits(given[:1]), same.logits(given[:1]), atol=1e-4)
    with pytest.raises(InputError, match="33x47 px only, not 47x33"):
        found.logits(torch.randn(1, 3, 47, 33))
    with pytest.raises(InputError, match="33x47 px only"):
        found.held_to({}, {"resolution": (64, 64)})


def test_steps_of_a_fixed_batch_are_filled_up(plain: Classifier, tmp_path: Path) -> None:
    found = load_exported(next(iter(export(plain, tmp_path / "three.onnx", batch=3).files)))
    for n in (1, 3, 7):
        given = torch.randn(n, 3, 24, 24)
        assert torch.allclose(found.logits(given), plain.logits(given), atol=1e-4)


def test_an_open_size_is_proven_at_odd_and_oblong_sizes(plain: Classifier, tmp_path: Path) -> None:
    made = export(plain, tmp_path / "open.onnx", dynamic_size=True)
    assert made.about.least is not None
    assert made.proof.normal.difference <= TOLERANCE  # of images as they come, float32 is exact enough
    assert len(set(proven_sizes(made.about))) > 3
    found = load_exported(tmp_path / "open.onnx")
    given = torch.randn(2, 3, 39, 54)
    assert torch.allclose(found.logits(given), plain.logits(given), atol=1e-4)
    with pytest.raises(InputError, match="px and more"):
        found.logits(torch.randn(1, 3, 3, 64))


def test_an_open_size_with_same_padding_is_refused(same: Classifier, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="SAME"):
        export(same, tmp_path / "open.onnx", dynamic_size=True)
    assert files(tmp_path) == []


class Noisy(torch.nn.Module):
    """Answers otherwise each time, as no export can."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, c] -> nearly the same."""
        return x + 1e-3 * torch.randn_like(x)


def test_an_export_that_answers_otherwise_is_not_written(tmp_path: Path) -> None:
    """The old file stays; nothing else is left."""
    wrong = classifier(small())
    wrong.own_model.dropout = Noisy().eval()  # type: ignore[assignment]
    (tmp_path / "x.onnx").write_bytes(b"old")
    with pytest.raises(NumericError, match=r"not written.*\n100 random images: logits within \d\.\de-0[234]") as error:
        export(wrong, tmp_path / "x.onnx")
    assert error.value.exit_code == 70
    assert (tmp_path / "x.onnx").read_bytes() == b"old"
    assert files(tmp_path) == ["x.onnx"]


@pytest.mark.parametrize("fault", ["none", "far", "far when strong", "another class"])
def test_every_part_of_the_proof_can_fail(fault: str) -> None:
    """Each image counts once: eighty normal ones, twenty strong ones."""

    def model(x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))

    def broken(x: torch.Tensor) -> torch.Tensor:
        strong = float(x.abs().max()) > 10
        if (fault == "far" and not strong) or (fault == "far when strong" and strong):
            return model(x) * (1 + 3e-5)
        return model(x).flip(1) if fault == "another class" else model(x)

    (proof,) = prove(lambda x: model(x.double()).float(), model, [broken], 3, [(8, 8), (9, 7)], "by hand")
    assert proof.holds == (fault == "none")
    assert 95 <= proof.normal.decided + proof.strong.decided <= PICTURES
    assert sum(len(x) for _, x in pictures(3, [(8, 8)])) == PICTURES


@pytest.mark.parametrize(("own", "export", "holds"), [(1e-4, 3e-4, True), (1e-4, 5e-4, False), (1.0, 2e-3, False)])
def test_an_export_may_be_as_inexact_as_the_model_itself(own: float, export: float, holds: bool) -> None:
    """Where float32 cannot be exact; not by any amount."""

    def model(x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))

    noise = (1 + own, 1 + export)
    (proof,) = prove(model, lambda x: model(x) * noise[0], [lambda x: model(x) * noise[1]], 3, [(8, 8)], "by hand")
    assert proof.holds == holds
    assert proof.normal.difference == pytest.approx(export, rel=0.01)


def test_training_mode_and_nan_are_refused(tmp_path: Path) -> None:
    training, broken = classifier(small()), classifier(small())
    training.own_model.stages[0].train()
    with pytest.raises(InputError, match="training mode"):
        export(training, tmp_path / "x.onnx")
    with torch.no_grad():
        broken.own_model.classifier.bias[0] = float("nan")
    with pytest.raises(InputError, match=r"classifier\.bias holds NaN"):
        export(broken, tmp_path / "x.onnx")
    assert files(tmp_path) == []


def test_nan_is_refused_in_int8_before_data_are_opened(tmp_path: Path) -> None:
    """The data are not there, which would be the next mistake."""
    broken, lowering = classifier(small()), Lowering(precision="int8", data=tmp_path / "absent")
    with torch.no_grad():
        broken.own_model.classifier.bias[0] = float("nan")
    with pytest.raises(InputError, match=r"classifier\.bias holds NaN"):
        export(broken, tmp_path / "x.onnx", lowering=lowering)
    with pytest.raises(InputError, match=r"classifier\.bias holds NaN"):
        export_fastest(broken, AutoRequest(place=tmp_path / "x", lowering=lowering), print)
    assert files(tmp_path) == []


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_file(plain: Classifier, tmp_path: Path) -> None:
    """The limit of a file's size stands for the disk's."""
    (tmp_path / "x.pt2").write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(StorageError, match="The old file is untouched"):
            export(plain, tmp_path / "x.pt2")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "x.pt2").read_bytes() == b"old"
    assert files(tmp_path) == ["x.pt2"]


def test_a_pt2_is_the_same_network_and_is_read_only_if_trusted(plain: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "x.pt2"
    made = export(plain, path)
    with pytest.raises(InputError, match="can run programs"):
        load_exported(path)
    found = load_exported(path, trusted=True)
    assert (found.about, found.classes) == (made.about, NAMES)
    given = torch.randn(3, 3, 24, 24)
    assert torch.allclose(found.logits(given), plain.logits(given), atol=1e-5)
    assert str(ROOT).encode() not in path.read_bytes()


def test_no_file_tells_where_it_was_made(onnx_file: Path) -> None:
    assert str(ROOT).encode() not in onnx_file.read_bytes()


@pytest.mark.parametrize(
    ("out", "asked", "wanted"),
    [("a.onnx", None, "onnx"), ("a.xml", None, "openvino"), ("a.pt2", "pt2", "pt2")],
)
def test_the_name_says_the_format(out: str, asked: str | None, wanted: str) -> None:
    assert kind_of(Path(out), asked) == wanted


@pytest.mark.parametrize(
    ("out", "asked", "words"),
    [("a.b", None, "in .onnx, .pt2"), ("a.onnx", "pt2", "in .pt2"), ("a.onnx", "tflite", "give onnx, pt2, openvino")],
)
def test_a_name_that_does_not_fit_is_refused(out: str, asked: str | None, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        kind_of(Path(out), asked)


def test_a_missing_library_is_named_with_its_extra(
    plain: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library, name, extra in (
        ("onnxruntime", "x.onnx", "export"), ("onnxscript", "x.onnx", "export"), ("openvino", "x.xml", "openvino"),
    ):  # fmt: skip
        with monkeypatch.context() as hiding:
            hiding.setitem(sys.modules, library, None)
            with pytest.raises(InputError, match=rf"pip install 'triscale\[{extra}\]'"):
                export(plain, tmp_path / name)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".onnx", ".pt2", ".xml"])
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_passes_its_proof(name: str, suffix: str, tmp_path: Path) -> None:
    size, factors = FAMILIES[name]
    made = classifier(small(name, size, **factors))
    written = export(made, tmp_path / f"x{suffix}")
    found = load_exported(tmp_path / f"x{suffix}", trusted=True)
    given = torch.randn(2, 3, *size)
    assert written.proof.holds
    assert torch.allclose(found.logits(given), made.logits(given), atol=1e-4)


def test_what_is_exported_is_left_as_it_was(plain: Classifier) -> None:
    """The fixture went through what stands above."""
    fresh = classifier(small()).model.state_dict()
    assert all(torch.equal(tensor, plain.model.state_dict()[name]) for name, tensor in fresh.items())
    assert not plain.model.training
    assert all(one.requires_grad for one in plain.model.parameters())
