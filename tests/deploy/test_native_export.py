"""A compiled network is an export like every other: proven, sealed, with the lock. As it is code, it needs trust."""

import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.cli.conftest import Run
from tests.paths import ROOT
from tests.runtime.test_compiled_networks import COMPILER
from triscale import runtime
from triscale.data.transforms.image_transform import Transform
from triscale.deploy import export, load_exported
from triscale.errors import InputError, UsageError
from triscale.families import network
from triscale.layer_weights import RandomWeights
from triscale.seal import OPEN, seal_of, sealed
from triscale.weights import Classifier

pytestmark = COMPILER


@pytest.fixture(scope="module")
def so_file(same: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("native") / "same.so"
    made = export(same, path)
    assert made.files == {path: path.stat().st_size}
    assert made.proof.holds
    return path


def elsewhere(path: Path, folder: Path) -> Path:
    """The same code as another machine would have sealed it."""
    payload, other = path.read_bytes(), folder / "other.so"
    other.write_bytes(sealed(payload.replace(b"sha256-" + seal_of(payload).encode(), OPEN) + b"\0"))
    return other


def test_it_gives_the_models_logits_in_any_batch_and_carries_the_lock(same: Classifier, so_file: Path) -> None:
    found, images = load_exported(so_file), torch.randn(5, 3, 33, 47, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        exact = same.model.double()(images.double())
    same.model.float()
    assert (found.logits(images) - exact).abs().max() <= 1e-5 * exact.abs().max()
    assert (found.network, found.classes, found.preprocessing.mean) == (
        same.network, same.classes, same.preprocessing.mean,
    )  # fmt: skip
    assert found.about.proof["pictures"] == 100


def test_predict_takes_it_as_it_takes_the_checkpoint(run: Run, checkpoint: Path, so_file: Path, picture: Path) -> None:
    (own,), (compiled,) = (run("predict", "--weights", file, picture, "--json").json for file in (checkpoint, so_file))
    assert [one["class"] for one in own["top"]] == [one["class"] for one in compiled["top"]]
    for one, other in zip(own["top"], compiled["top"], strict=True):
        assert one["probability"] == pytest.approx(other["probability"], abs=1e-5)


def test_the_library_prepares_an_image_as_the_weights_do(so_file: Path, same: Classifier, picture: Path) -> None:
    net = runtime.open(so_file)
    wanted = Transform(preprocessing=same.preprocessing, size=net.network.resolution)(picture)
    prepared = net.transform(picture)
    assert prepared.dtype == np.float32
    assert np.array_equal(prepared, wanted.numpy())
    assert np.array_equal(net(prepared[None]), load_exported(so_file).logits(wanted[None]).numpy())


def test_a_library_without_preprocessing_says_so_when_it_is_to_prepare_an_image(picture: Path) -> None:
    path = runtime.library(network("smallnet_24"), RandomWeights(0))
    with pytest.raises(InputError, match="does not say how images are prepared"):
        runtime.open(path).transform(picture)


def test_several_threads_get_the_bits_of_one(so_file: Path) -> None:
    """Each has an instance of its own, although one instance answers one call at a time."""
    found, images = load_exported(so_file), torch.randn(8, 3, 33, 47)
    wanted, answers = found.logits(images), list[torch.Tensor]()
    workers = [threading.Thread(target=lambda: answers.append(found.logits(images))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(answers) == 4
    assert all(torch.equal(one, wanted) for one in answers)


def test_code_from_elsewhere_needs_trust(run: Run, so_file: Path, picture: Path, tmp_path: Path) -> None:
    other = elsewhere(so_file, tmp_path)
    answer = run("predict", "--weights", other, picture)
    assert answer.code == 65
    assert "code that was not compiled on this machine" in answer.err
    assert run("predict", "--weights", other, picture, "--trust-code").code == 0
    images = torch.zeros(1, 3, 33, 47)
    assert torch.equal(load_exported(other, trusted=True).logits(images), load_exported(so_file).logits(images))


def test_a_size_that_follows_the_image_is_refused(symmetric: Classifier, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="every size fixed"):
        export(symmetric, tmp_path / "net.so", dynamic_size=True)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def symmetric() -> Classifier:
    from tests.deploy.networks import classifier, small

    return classifier(small())


def test_no_file_tells_where_it_was_made(so_file: Path) -> None:
    payload = so_file.read_bytes()
    assert str(ROOT).encode() not in payload
    assert str(so_file.parent.parent).encode() not in payload


def test_a_cell_is_refused_by_name(tmp_path: Path) -> None:
    from tests.deploy.networks import classifier
    from tests.nn.networks import TINY

    with pytest.raises(InputError, match=r"stages\.0\.0 has a step that the runtime does not know"):
        export(classifier(TINY["cell"]), tmp_path / "net.so")


def test_the_runtime_opens_an_export_by_itself(same: Classifier, so_file: Path) -> None:
    """Without torch's classes: NumPy in, NumPy out."""
    from triscale import runtime

    net = runtime.open(so_file, batch=2)
    assert (net.network, net.classes) == (same.network, same.classes)
    assert np.isfinite(net(np.ones((3, 3, 33, 47), np.float32))).all()
