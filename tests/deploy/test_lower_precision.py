"""int8 and bfloat16 are held to the accuracy of float32, on images that did not calibrate."""

import json
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.deploy.lower_data import TEST, TRAINING, Float32, float32, harden, own_truth
from tests.deploy.networks import classifier, small
from triscale.deploy import Lowered, Lowering, export, lowering_from
from triscale.deploy.about import about_from
from triscale.deploy.fastest.timed_files import FileToTime, time_beside, time_files
from triscale.deploy.precision.accuracy_gate import AccuracyDrop, drop_between, level_of, refuse_undecidable
from triscale.deploy.precision.calibration_images import calibration_images, judging_images
from triscale.deploy.precision.float_region import GraphNode, region_before
from triscale.deploy.precision.layer_search import costly_layers, deadline, divergence, growing_sets
from triscale.deploy.precision.quantizer import Packer
from triscale.deploy.precision.speed_beside import beside
from triscale.engines import OpenvinoEngine
from triscale.errors import InputError, NumericError, UsageError
from triscale.evaluation import evaluate
from triscale.latency.measuring import Limits, Subject
from triscale.latency.silent_watch import SilentWatch
from triscale.spec import Preprocessing
from triscale.weights import Classifier

FORMATS = ("x.onnx", "x.xml")


@pytest.fixture(scope="session")
def plain() -> Classifier:
    return classifier(small(depth=0.5), Preprocessing())


@pytest.fixture(scope="session")
def data(plain: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_truth(tmp_path_factory.mktemp("flowers"), plain)


@pytest.fixture(scope="session")
def graphs(plain: Classifier, data: Path) -> Callable[[str], Float32]:
    """The graph for a file of that name; each is made once."""
    return cache(lambda name: float32(plain, data, name))


@pytest.fixture(scope="session", params=FORMATS)
def graph(request: pytest.FixtureRequest, graphs: Callable[[str], Float32]) -> Float32:
    found: str = request.param
    return graphs(found)


@pytest.fixture(scope="session")
def int8(graph: Float32) -> Lowered:
    return graph.lowered()


IN_BOTH = pytest.mark.parametrize("name", ["x.onnx", pytest.param("x.xml", marks=pytest.mark.slow)])


def test_the_drop_is_what_evaluate_finds_of_the_file_itself(graph: Float32, int8: Lowered) -> None:
    """float32 is right by the truth of these data, so that each answer that int8 changes is lost."""
    drop = int8.accuracy
    assert (drop.images, drop.before, drop.gained) == (TEST, TEST, 0)
    assert 0 < drop.lost < TEST / 6, "int8 changes a few answers, else this test shows nothing"
    found = evaluate(graph.opened(int8.packer), graph.data)
    assert found.top1 == drop.after / TEST
    assert (int8.calibration, int8.kept) == (32, ())


def test_weights_are_int8_by_channel_and_maps_are_quantised(graph: Float32, int8: Lowered) -> None:
    """Of every convolution and linear layer; read from the graphs by the libraries that define them."""
    import onnx

    if graph.made.form == "onnx":
        proto = int8.packer.proto  # type: ignore[attr-defined]
        made = {name: node for node in proto.graph.node for name in node.output}
        held = {one.name: one for one in proto.graph.initializer}
        layers = [node for node in proto.graph.node if node.op_type in ("Conv", "Gemm")]
        for layer in layers:
            maps, weights = made[layer.input[0]], made[layer.input[1]]
            assert {maps.op_type, weights.op_type} == {"DequantizeLinear"}, layer.name
            assert held[weights.input[0]].data_type == onnx.TensorProto.INT8
            assert abs(onnx.numpy_helper.to_array(held[weights.input[0]]).astype(int)).max() <= 64
            assert held[maps.input[2]].data_type == onnx.TensorProto.UINT8
    else:
        model = int8.packer.model  # type: ignore[attr-defined]
        layers = [
            one for one in model.get_ops() if one.get_type_name() in ("Convolution", "GroupConvolution", "MatMul")
        ]
        for layer in layers:
            assert layer.input_value(0).get_node().get_type_name() == "FakeQuantize", layer.get_friendly_name()
        constants = [one for one in model.get_ops() if one.get_type_name() == "Constant"]
        assert sum(one.get_element_type().get_type_name() == "i8" for one in constants) >= len(layers) // 2
    assert len(layers) == int8.layers


@IN_BOTH
def test_what_may_lose_too_much_is_refused_with_its_figures(name: str, tmp_path: Path) -> None:
    """A map of each block has one channel that is 1000 times as large as the others; no time for layers to go back."""
    made = harden(classifier(small(depth=0.5), Preprocessing()))
    graph = float32(made, own_truth(tmp_path, made), name)
    with pytest.raises(NumericError, match="may lose") as error:
        graph.lowered(max_drop=16.0, seconds=1e-9)
    text = str(error.value)
    assert error.value.exit_code == 70
    assert len(text.splitlines()) == 3
    assert f"the same {TEST} images" in text
    assert "One point is 3.0 images" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_one_hard_layer_goes_back_to_float32_and_the_rest_stays(name: str, tmp_path: Path) -> None:
    """In the first block; the map between its depthwise convolution and its projection is the one that hurts."""
    made = harden(classifier(small(depth=0.5), Preprocessing()), blocks=1)
    graph = float32(made, own_truth(tmp_path, made), name)
    with pytest.raises(NumericError):
        graph.lowered(max_drop=20.0, seconds=1e-9)
    found = graph.lowered(max_drop=20.0)
    assert found.accuracy.interval[1] <= 20.0
    assert 0 < len(found.kept) < found.layers / 2
    assert found.accuracy.level > 0.95, "further looks at the same images need more certainty"


def test_bfloat16_is_in_the_file_and_in_what_it_computes(graphs: Callable[[str], Float32]) -> None:
    graph = graphs("x.xml")
    if OpenvinoEngine().unfit("bfloat16"):
        with pytest.raises(InputError, match="no bfloat16 instructions"):
            graph.lowered(precision="bfloat16")
        return
    found = graph.lowered(precision="bfloat16", max_drop=5.0)
    assert (found.calibration, found.layers) == (0, 0)
    given = torch.randn(8, 3, 24, 24)
    rounded, exact = (
        graph.opened(found.packer, replace(graph.made.about, precision=name)).logits(given)
        for name in ("bfloat16", "float32")
    )
    far = (rounded - exact).abs().max() / exact.abs().max()
    assert 2**-12 < far < 2**-4, "a bfloat16 has 8 bits of mantissa"


def test_a_file_says_its_precision_and_others_are_rejected(int8: Lowered, graph: Float32) -> None:
    about = replace(graph.made.about, precision="int8")
    assert graph.opened(int8.packer, about).about.precision == "int8"
    text = json.loads(about.text())
    assert text["precision"] == "int8"
    with pytest.raises(InputError, match="precision 'int4'"):
        about_from(json.dumps({**text, "precision": "int4"}), Path("x.onnx"))
    del text["precision"]
    assert about_from(json.dumps(text), Path("x.onnx")).precision == "float32", "files of older versions"


def test_no_image_both_calibrates_and_judges(plain: Classifier, data: Path, tmp_path: Path) -> None:
    """And the choice depends on what the images hold, not on their order."""
    judging = judging_images(data, None, plain)
    assert len(judging.labels) == TEST
    some = calibration_images(data, judging, plain, 16)
    with np.load(data / "train.npz") as train, np.load(data / "test.npz") as test:
        images, labels = train["images"], train["labels"]
        more = np.concatenate([images, test["images"][:9]]), np.concatenate([labels, test["labels"][:9]])
        np.savez(tmp_path / "test.npz", images=test["images"], labels=test["labels"])
    np.savez(tmp_path / "train.npz", images=images[::-1], labels=labels[::-1])
    same = calibration_images(tmp_path, judging, plain, 16)
    assert sorted(map(float, some.images.sum((1, 2, 3)))) == sorted(map(float, same.images.sum((1, 2, 3))))
    np.savez(tmp_path / "train.npz", images=more[0], labels=more[1])
    assert len(calibration_images(tmp_path, judging, plain, 1000)) == TRAINING
    np.savez(tmp_path / "train.npz", images=more[0][-9:], labels=more[1][-9:])
    with pytest.raises(InputError, match="left to calibrate with: all 9"):
        calibration_images(tmp_path, judging, plain, 16)


def test_batches_that_calibrate_are_whole(plain: Classifier, data: Path) -> None:
    """A graph of a fixed batch takes no other."""
    images = calibration_images(data, judging_images(data, None, plain), plain, 5)
    assert [batch.shape[0] for batch in images.batches(3)] == [3, 3]
    assert [batch.shape[0] for batch in images.batches(8)] == [8]


def test_images_of_other_classes_are_refused(plain: Classifier) -> None:
    with pytest.raises(InputError, match="12 classes of flowers:60 are not among the network's"):
        judging_images("flowers:60", None, plain)


def test_so_few_images_that_they_decide_nothing_are_refused_with_how_many_would() -> None:
    with pytest.raises(UsageError, match="at least 381 images") as error:
        refuse_undecidable(341, 1.0)
    assert "that is 3.4 images" in str(error.value)
    assert "--max-drop 1.2" in str(error.value)
    refuse_undecidable(381, 1.0)
    refuse_undecidable(341, 1.2)


def test_the_images_that_would_decide_decide() -> None:
    drop = AccuracyDrop(images=341, lost=5, gained=3, before=300)
    needed = drop.images_needed(1.0)
    assert needed is not None
    for images, enough in ((needed + 20, True), (needed - 20, False)):
        part = images / 341
        scaled = AccuracyDrop(images=images, lost=round(5 * part), gained=round(3 * part), before=0)
        assert (scaled.interval[1] <= 1.0) == enough or abs(scaled.interval[1] - 1.0) < 0.05
    assert AccuracyDrop(images=341, lost=5, gained=0, before=300).images_needed(1.0) is None


def test_drops_count_what_changed() -> None:
    before, after = np.array([1, 1, 1, 0, 0], bool), np.array([1, 0, 0, 1, 0], bool)
    drop = drop_between(before, after)
    assert (drop.lost, drop.gained, drop.before, drop.after, drop.points) == (2, 1, 3, 2, 20.0)
    assert drop_between(before, after, level_of(look=2)).level == pytest.approx(1 - 0.05 / 4)


class _ThreeLayers:
    """Layer b costs most, then c; a costs nothing. Whatever is kept in float32 costs nothing."""

    layers = ("a", "b", "c")

    def together(self, kept: Collection[str]) -> tuple[str, ...]:
        return tuple(one for one in self.layers if one in kept)

    def quantized(self, kept: Collection[str]) -> Packer:
        raise AssertionError(kept)

    def running(self, kept: Collection[str]) -> Any:
        noise = sum(cost for name, cost in zip(self.layers, (0.0, 2.0, 1.0), strict=True) if name not in kept)
        return lambda pictures: pictures + noise * torch.linspace(0, 1, 5)


def _itself(run: Any) -> Any:
    return run


def test_layers_are_ranked_by_what_they_cost_as_long_as_there_is_time(plain: Classifier, data: Path) -> None:
    images = calibration_images(data, judging_images(data, None, plain), plain, 8)
    flat = replace(images, images=torch.randn(8, 5))
    for seconds, wanted in ((60.0, ["b", "c", "a"]), (-1.0, ["a", "b", "c"])):
        ranked = costly_layers(_ThreeLayers(), _itself, lambda given: given, flat, deadline(seconds))
        assert ranked == wanted
    assert list(growing_sets(_ThreeLayers(), ["b", "c", "a"], deadline(60))) == [("b",)]


def test_the_divergence_matches_torch() -> None:
    one, other = torch.randn(7, 4), torch.randn(7, 4)
    wanted = F.kl_div(other.log_softmax(1), one.log_softmax(1), reduction="batchmean", log_target=True)
    assert divergence(one, other) == pytest.approx(float(wanted), rel=1e-5)
    assert divergence(one, one) == 0


def test_options_that_contradict_each_other_are_refused() -> None:
    assert lowering_from("float32", None, {"max_drop": None}) is None
    made = lowering_from("int8", "flowers", {"max_drop": 2.0, "split": None}, print)
    assert made == Lowering(precision="int8", data="flowers", max_drop=2.0, say=print)
    for precision, data, given, words in (
        ("float32", None, {"max_drop": 1.0}, "--max-drop is for a lower precision"),
        ("float32", "flowers", {}, "--data is for a lower precision"),
        ("int8", None, {"max_drop": 1.0}, "give --data"),
        ("bfloat16", None, {}, "give --data"),
        ("int8", "flowers", {"max_drop": -1.0}, "--max-drop is -1"),
        ("int8", "flowers", {"max_drop": float("nan")}, "--max-drop is nan"),
        ("int8", "flowers", {"calibration": 0}, "--calibration is 0"),
        ("int9", "flowers", {}, "did you mean int8"),
        ("bf16", "flowers", {}, "did you mean bfloat16"),
        ("", "flowers", {}, "give float32, bfloat16, int8"),
    ):
        with pytest.raises(UsageError, match=words):
            lowering_from(precision, data, given)


def test_what_goes_back_with_a_layer_ends_at_the_layers_before_it() -> None:
    """A block with squeeze-excite: the projection takes its map from depthwise and excite; the mean reads it alone."""
    graph = [
        GraphNode(name=name, layer=name.isupper(), sources=tuple(sources.split()))
        for name, sources in (
            ("STEM", ""), ("DEPTHWISE", "STEM"), ("silu", "DEPTHWISE"), ("mean", "silu"), ("SQUEEZE", "mean"),
            ("EXCITE", "SQUEEZE"), ("mul", "silu EXCITE"), ("PROJECT", "mul"),
            ("add", "PROJECT STEM"), ("NEXT", "add"), ("sum", "NEXT add"), ("LAST", "sum"),
        )
    ]  # fmt: skip
    assert region_before(graph, ["PROJECT"]) == {"mul", "silu", "mean", "DEPTHWISE", "EXCITE"}
    assert region_before(graph, ["NEXT"]) == {"add", "PROJECT", "STEM"}
    assert region_before(graph, ["STEM"]) == frozenset()


def test_two_files_are_timed_in_the_same_rounds_and_a_larger_network_takes_longer(tmp_path: Path) -> None:
    """By the protocol of `triscale benchmark`; a file that no engine opens is left out, and the others keep theirs."""
    files = []
    for name, width in (("small", 0.5), ("large", 4.0)):
        made = export(classifier(small(depth=0.3, width=width), Preprocessing()), tmp_path / f"{name}.onnx", batch=4)
        files.append(FileToTime(about=made.about, path=tmp_path / f"{name}.onnx"))
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    broken = replace(files[0], path=tmp_path / "broken.onnx")
    watch = SilentWatch()
    first, none, second = time_files((files[0], broken, files[1]), 1, Limits(rounds=3), watch)
    assert first is not None
    assert second is not None
    assert none is None
    assert "rejects the graph" in watch.lines[0]
    speed = beside(first, second)
    assert (speed.batch, speed.threads, speed.rounds, speed.faster) == (4, 1, 3, False)
    assert speed.ratio.low > 1.5
    assert beside(second, first).faster
    with pytest.raises(InputError, match="rejects the graph"):
        time_beside(files[0], broken)


class _Opened(SilentWatch):
    """Keeps the images of a step of what is opened, in that order."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def opening(self, subject: object, done: int, whole: int) -> None:
        super().opening(subject, done, whole)
        assert isinstance(subject, Subject)
        self.batches.append(subject.target.batch)


def test_files_of_one_target_are_timed_side_by_side_and_come_back_in_their_order(tmp_path: Path) -> None:
    """One file that takes any batch, for steps of one image and of four."""
    made, path = export(classifier(small(depth=0.3, width=0.5), Preprocessing()), tmp_path / "x.onnx"), "x.onnx"
    files = [FileToTime(about=replace(made.about, batch=batch), path=tmp_path / path) for batch in (1, 4, 1, 4)]
    watch = _Opened()
    found = time_files(files, 1, Limits(rounds=1), watch)
    assert watch.batches == [1, 1, 4, 4]
    assert [one and one.target.batch for one in found] == [1, 4, 1, 4]
