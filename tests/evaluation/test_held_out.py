"""An evaluation on the data of the training: what was trained on, or chose the epoch, is left out and counted."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import triscale
from tests.training.pictures import SMALL, class_folders
from triscale.data import Source, open_data, open_split
from triscale.data.chosen import Joined, chosen, identities
from triscale.data.source import rendered
from triscale.deploy.about import About, about_from
from triscale.errors import InputError
from triscale.evaluation import evaluate
from triscale.nn import build
from triscale.scores import Evaluation
from triscale.spec import IMAGENET, Preprocessing
from triscale.trained_on import HEAD, TrainedOn, heads_of
from triscale.training import trained_on
from triscale.weights import Checkpoint, Classifier, load_classifier, load_weights, save, write_for_peer

CLASSES, COUNT = 2, 50
"""Of each class 10 are the test, 4 validate and 36 are trained on."""
USED, HELD_OUT = 80, 20


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Class folders without splits; noise, so that no two images are alike."""
    return class_folders(tmp_path / "data", CLASSES, COUNT)


def knowing(source: Source, train_size: int | None = None) -> Classifier:
    """A network that has learned nothing, with the record of a training on the source."""
    torch.manual_seed(0)
    model = build(replace(SMALL, classes=len(source.classes)))
    known = trained_on(source, seed=3, train_size=train_size)
    return Classifier(model=model, classes=source.classes, preprocessing=Preprocessing(), trained_on=known)


def seen(found: Evaluation) -> tuple[int, int, int]:
    """(images, used, evaluated) of an evaluation."""
    told = found.about["seen_in_training"]
    return told["images"], told["used"], told["evaluated"]


def test_without_a_split_the_images_of_neither_training_nor_validation_are_evaluated(data: Path) -> None:
    source = open_data(data)
    found = evaluate(knowing(source), data)

    assert seen(found) == (USED + HELD_OUT, USED, HELD_OUT)
    assert (found.n, found.about["split"]) == (HELD_OUT, "unseen")
    assert found.about["seen_in_training"]["text"] == (
        "100 images, of which 80 were used in training or for choosing the epoch; evaluating the other 20."
    )
    assert found.top1 == evaluate(knowing(source), data, split="test").top1


@pytest.mark.parametrize(("split", "counts"), [("all", (100, 80, 100)), ("train", (80, 80, 80)), ("test", (20, 0, 20))])
def test_a_split_that_is_named_is_evaluated_whole_and_told(
    data: Path, split: str, counts: tuple[int, int, int]
) -> None:
    assert seen(evaluate(knowing(open_data(data)), data, split=split)) == counts


def test_images_are_known_by_content_wherever_they_lie_and_new_ones_are_evaluated(data: Path, tmp_path: Path) -> None:
    """The folder moves, a class is spelled as before, files are renamed, some go, three come and one is a copy."""
    classifier = knowing(open_data(data))
    assert classifier.trained_on is not None
    moved = tmp_path / "elsewhere"
    shutil.move(data, moved)
    part = open_split(moved).part
    known = [
        moved / part.name(index) for index, used in enumerate(classifier.trained_on.used(identities(part))) if used
    ]
    for file in known[:5]:
        file.unlink()
    shutil.copy(known[5], moved / "1" / "copy.png")
    for file in sorted(moved.rglob("*.png")):
        file.rename(file.with_name(f"renamed-{file.name}"))
    for index in range(3):
        Image.fromarray(np.full((10, 10, 3), index, np.uint8)).save(moved / "1" / f"new-{index}.png")

    assert seen(evaluate(classifier, moved)) == (100 - 5 + 1 + 3, 80 - 5 + 1, 20 + 3)


def test_a_copy_of_a_training_image_in_the_test_folder_is_left_out_and_told(data: Path, tmp_path: Path) -> None:
    root = tmp_path / "divided"
    shutil.move(data, root / "train")
    for label in range(CLASSES):
        (root / "test" / str(label)).mkdir(parents=True)
        for index in range(4):
            pixels = np.full((10, 10, 3), 10 * index + label, np.uint8)
            Image.fromarray(pixels).save(root / "test" / str(label) / f"{index}.png")
    shutil.copy(root / "train" / "0" / "0.png", root / "test" / "0" / "copy.png")
    classifier = knowing(open_data(root))

    assert seen(evaluate(classifier, root)) == (9, 1, 8)
    assert seen(evaluate(classifier, root, split="test")) == (9, 1, 9)
    assert seen(evaluate(classifier, root, split="all")) == (109, 101, 109)


def test_images_that_were_all_trained_on_are_rejected_unless_they_are_named(data: Path, tmp_path: Path) -> None:
    classifier = knowing(open_data(data))
    held = open_split(data)
    assert classifier.trained_on is not None
    used = classifier.trained_on.used(identities(held.part))
    for index, known in enumerate(used):
        if known:
            place = tmp_path / "used" / Path(held.part.name(index))
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(data / held.part.name(index), place)

    with pytest.raises(InputError, match=r"all 80 images of .* were used in training") as raised:
        evaluate(classifier, tmp_path / "used")
    assert len(str(raised.value).splitlines()) <= 3
    assert seen(evaluate(classifier, tmp_path / "used", split="all")) == (80, 80, 80)


def arrays(data: Path) -> Path:
    """The same images as one .npz file."""
    part = open_split(data).part
    images = np.concatenate(list(rendered(part, (10, 10), Preprocessing())))
    np.savez(data.parent / "all.npz", images=images, labels=part.labels)
    return data.parent / "all.npz"


def table(data: Path) -> Path:
    """The same images as a table without splits."""
    lines = [f"{file.relative_to(data)},{file.parent.name}" for file in sorted(data.rglob("*.png"))]
    (data / "table.csv").write_text("\n".join(["path,label", *lines]) + "\n")
    return data / "table.csv"


@pytest.mark.parametrize("form", [arrays, table])
def test_arrays_and_tables_without_splits_are_held_out_too(data: Path, form: Callable[[Path], Path]) -> None:
    where = form(data)

    assert seen(evaluate(knowing(open_data(where)), where)) == (100, 80, 20)
    assert seen(evaluate(knowing(open_data(where)), where, split="all")) == (100, 80, 100)


def test_the_embedded_set_is_known_by_its_numbers() -> None:
    """The training images of a smaller draw are among those of a larger one; the test images are others."""
    classifier = knowing(open_data("flowers:48"))

    assert seen(evaluate(classifier, "flowers:48")) == (12, 0, 12)
    assert seen(evaluate(classifier, "flowers:96", split="train")) == (96, 48, 96)


def test_of_a_study_on_some_images_the_others_are_evaluated(data: Path) -> None:
    assert seen(evaluate(knowing(open_data(data), train_size=10), data)) == (100, 18, 82)


def test_what_earlier_weights_and_a_teacher_were_trained_on_counts_too(data: Path, tmp_path: Path) -> None:
    """A second training on other images, begun from weights of a first."""
    first = knowing(open_data(data))
    other = class_folders(tmp_path / "other", CLASSES, 10)
    before = Checkpoint(network=first.network, state={}, classes=("0", "1"), preprocessing=Preprocessing(),
                        trained_on=first.trained_on)  # fmt: skip
    known = trained_on(open_data(other), seed=0, earlier=(before, None))

    assert seen(evaluate(replace(first, trained_on=known), data)) == (100, 80, 20)


def test_weights_that_do_not_know_their_training_take_what_the_data_offers(data: Path) -> None:
    found = evaluate(replace(knowing(open_data(data)), trained_on=None), data)

    assert (found.n, found.about["split"], found.about["seen_in_training"]) == (100, "all", None)
    assert any("--split test" in note for note in found.about["notes"])


def test_the_record_travels_with_checkpoints_peers_files_and_exports(data: Path, tmp_path: Path) -> None:
    source = open_data(data)
    network = replace(triscale.network("efficientnet_lite0@width=0.1,depth=0.1,resolution=0.1"), classes=2)
    known = trained_on(source, seed=3)
    checkpoint = Checkpoint(network=network, state=build(network).state_dict(), classes=source.classes,
                            preprocessing=IMAGENET, trained_on=known)  # fmt: skip
    save(tmp_path / "own.safetensors", checkpoint)
    write_for_peer(tmp_path / "peer.safetensors", checkpoint, "timm")
    about = About(network=network, classes=source.classes, preprocessing=IMAGENET, trained_on=known)

    assert load_classifier(tmp_path / "own.safetensors").trained_on == known
    assert load_weights(tmp_path / "peer.safetensors").trained_on == known
    assert about_from(about.text(), Path("x.onnx")).trained_on == known
    assert checkpoint.digest == replace(checkpoint, trained_on=None).digest, "it decides no answer"


KNOWN = TrainedOn(
    fingerprint="f", test_from="train", version=2, group_by="content", fraction=0.1, seed=0, train_size=None,
    training=2, validation=1, images=heads_of(["a", "b", "c"]),
)  # fmt: skip


def test_a_record_is_read_as_it_was_written_and_anything_else_says_nothing() -> None:
    written = KNOWN.to_dict()

    assert TrainedOn.from_dict(written) == KNOWN
    assert TrainedOn.from_dict({**written, "later": 1}) == KNOWN
    assert KNOWN.used(["c", "d", "a"]) == [True, False, True]
    changed = ({"seed": "0"}, {"images": "?"}, {"images": "AAAA"}, {"images": 3}, {"training": True})
    wrong: list[object] = [None, [], {}, *({**written, **change} for change in changed)]
    assert [TrainedOn.from_dict(one) for one in wrong] == [None] * len(wrong)


def test_a_million_images_take_five_bytes_each_and_none_is_forgotten() -> None:
    names = [str(one) for one in range(100_000)]
    known = replace(KNOWN, images=heads_of(names[::2]))

    assert len(known.images) == HEAD * 50_000
    used = known.used(names)
    assert all(used[::2])
    assert sum(used[1::2]) <= 2, "a chance of 1 in 20 million for each"


def test_parts_of_parts_give_the_pixels_and_names_of_their_pictures(data: Path) -> None:
    source, flowers = open_data(data), open_data("flowers:48")
    both = Joined((source.parts["train"], flowers.parts["test"]))
    whole = np.concatenate([next(iter(rendered(part, (9, 7), Preprocessing()))) for part in both.parts])
    for positions in (np.array([0, 5, 79, 80, 91]), np.arange(92), np.array([91])):
        some = chosen(both, positions)
        assert np.array_equal(np.concatenate(list(rendered(some, (9, 7), Preprocessing()))), whole[positions])
        assert np.array_equal(some.labels, both.labels[positions])
        assert [some.name(index) for index in range(len(positions))] == [both.name(int(one)) for one in positions]
    photos = chosen(source.parts["train"], np.array([3, 8]))
    assert identities(photos) == tuple(identities(source.parts["train"])[one] for one in (3, 8))
    with both.opened(81) as picture, flowers.parts["test"].opened(1) as wanted:
        assert np.array_equal(np.asarray(picture), np.asarray(wanted))
