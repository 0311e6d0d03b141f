"""What every engine of the registry keeps: the logits of torch, steps of its batch, a size, an end; nothing global."""

import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.deploy.networks import classifier
from tests.deploy.networks import small as small_network
from triscale.costs import Target, count
from triscale.engines import (
    ENGINES,
    Engine,
    EnginePrecision,
    GraphEngine,
    ModuleEngine,
    NativeEngine,
    Opened,
    OpenvinoEngine,
    engine_named,
)
from triscale.engines.graphs import onnx_graph
from triscale.errors import InputError, UsageError
from triscale.layer_weights import StoredWeights
from triscale.spec import Network
from triscale.weights import AnyModel

BATCHES = (1, 3)
CLOSE: MappingProxyType[EnginePrecision, float] = MappingProxyType({"float32": 1e-4, "bfloat16": 5e-2})
"""Of the largest logit; bfloat16 has 8 bits, and rounds after each of some twenty layers."""


def small() -> Network:
    """Stem, the first stage and head of a small network: compiled in seconds."""
    whole = small_network()
    return replace(whole, stages=whole.stages[:1])


@pytest.fixture(scope="module")
def model() -> AnyModel:
    return classifier(small()).model.eval()


@pytest.fixture(scope="module")
def graphs(model: AnyModel) -> dict[int, bytes]:
    """With the weights of the module, for each batch."""
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    return {batch: onnx_graph(small(), batch=batch, state=state) for batch in BATCHES}


COMPILES = "torch_compile"
"""Its C++ compiler takes seconds for each network."""


@pytest.fixture(params=[pytest.param(one, marks=pytest.mark.slow if one == COMPILES else ()) for one in ENGINES])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Engine]:
    monkeypatch.setenv("TORCHINDUCTOR_COMPILE_THREADS", "1")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    found = engine_named(request.param)
    if reason := found.missing():
        pytest.skip(reason)
    threads = torch.get_num_threads()
    yield found
    torch.set_num_threads(threads)


def images(batch: int, seed: int = 1) -> Tensor:
    return torch.randn(batch, 3, 24, 24, generator=torch.Generator().manual_seed(seed))


def opened(engine: Engine, model: AnyModel, graphs: dict[int, bytes], target: Target) -> Opened:
    if isinstance(engine, ModuleEngine):
        return engine.open_module(deepcopy(model), target)
    if isinstance(engine, NativeEngine):
        state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
        return engine.open_weights(small(), StoredWeights(state, small().norm.eps), target)
    assert isinstance(engine, GraphEngine)
    return engine.open_graph(graphs[target.batch], target)


def test_logits_are_those_of_torch_in_each_precision_and_batch(
    engine: Engine, model: AnyModel, graphs: dict[int, bytes]
) -> None:
    """Int8 has its own weights: the writer of its graphs is tested beside it."""
    for precision in set(engine.precisions()) - {"int8"}:
        for batch in BATCHES:
            target = Target(runtime=engine.name, precision=precision, batch=batch)
            found = opened(engine, model, graphs, target)
            given = images(batch)
            with torch.no_grad():
                wanted = model(given).numpy()
            logits = found.run(given.numpy())
            assert logits.dtype == np.float32
            assert logits.shape == (batch, 5)
            off = float(np.abs(logits - wanted).max() / np.abs(wanted).max())
            assert off <= CLOSE[precision], f"{target}: {off}"
            assert (off > 1e-3) == (precision == "bfloat16"), f"{target} computes in another precision: {off}"


def test_two_are_open_at_once_and_each_ends_by_itself(
    engine: Engine, model: AnyModel, graphs: dict[int, bytes]
) -> None:
    """Logits of one step stay what they are while others run."""
    other = deepcopy(model)
    with torch.no_grad():
        next(other.parameters()).mul_(2)
    target, given = Target(runtime=engine.name), images(1).numpy()
    first = opened(engine, model, graphs, target)
    second = opened(engine, other, graphs, target)
    before = first.run(given)
    kept = before.copy()
    second.run(images(1, 2).numpy())
    assert np.array_equal(before, kept)
    first.close()
    first.close()
    assert np.array_equal(second.run(given), second.run(given))
    with pytest.raises(ValueError, match="closed"):
        first.run(given)


def test_a_spec_runs_with_random_weights_that_its_seed_decides(engine: Engine) -> None:
    """The size is that of the weights and a little more; native code has its kernels, too."""
    network, target = small(), Target(runtime=engine.name)
    first, again, other = (engine.open(network, target, seed=seed) for seed in (0, 0, 1))
    given = images(1).numpy()
    assert np.array_equal(first.run(given), again.run(given))
    assert not np.array_equal(first.run(given), other.run(given))
    code = 100_000 if engine.name == "native" else 0
    assert 0.9 < first.file_size / (4 * count(network).params) < 2 + code / (4 * count(network).params)


LET_GO = """
import os, signal, threading
import numpy as np
from triscale.costs import parse_target
from triscale.engines import engine_named
from triscale.families import network

signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
net = network("finenet_20")
opened = [engine_named("openvino").open(net, parse_target("openvino:float32:t1"))]
opened[0].run(np.zeros((1, 3, *net.resolution), np.float32))
thread = threading.Thread(target=opened.clear)
thread.start()
thread.join()
os.kill(os.getpid(), signal.SIGUSR1)
"""


def test_a_signal_is_handled_after_another_thread_let_go_of_the_last_openvino_network() -> None:
    """OpenVINO lends the thread that loads its plugin a stack for signals; without it the signal is SIGSEGV."""
    if reason := engine_named("openvino").missing():
        pytest.skip(reason)
    found = subprocess.run([sys.executable, "-c", LET_GO], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "handled\n"), found.stderr


def test_importing_the_room_loads_no_library_of_an_engine() -> None:
    libraries = {"torch", "onnx", "onnxruntime", "openvino"}
    code = f"import sys, triscale.engines; print(*sorted({libraries!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_a_library_that_is_not_there_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, extra in (("onnxruntime", "export"), ("openvino", "openvino")):
        with monkeypatch.context() as hiding:
            hiding.setitem(sys.modules, name, None)
            line = rf"{name} is not installed: pip install 'triscale\[{extra}\]'"
            assert (reason := engine_named(name).missing())
            with pytest.raises(InputError, match=line) as failure:
                engine_named(name).imported()
            assert reason in str(failure.value)


def test_without_a_compiler_torch_compile_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    assert "install g++" in (engine_named("torch_compile").missing() or "")
    assert engine_named("torch").missing() is None


def test_an_unknown_engine_is_rejected_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"unknown engine 'onxruntime'; .*did you mean 'onnxruntime'"):
        engine_named("onxruntime")


def test_a_graph_that_is_none_is_rejected(engine: Engine) -> None:
    if isinstance(engine, GraphEngine):
        with pytest.raises(InputError, match="rejects the graph"):
            engine.open_graph(b"no graph", Target(runtime=engine.name))


def test_openvino_has_its_precision_set_and_one_stream() -> None:
    """By itself it takes bfloat16 where the processor has it."""
    found = OpenvinoEngine()
    if reason := found.missing():
        pytest.skip(reason)
    for precision, hint in (("float32", "f32"), ("bfloat16", "bf16"), ("int8", "f32")):
        if precision in found.precisions():
            compiled = found.compiled(_alone(found), 1, precision)
            assert compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() == hint
            assert compiled.get_property("NUM_STREAMS") == 1
            assert compiled.get_property("INFERENCE_NUM_THREADS") == 1


def _alone(engine: OpenvinoEngine) -> object:
    """A model of one operator."""
    ov = engine.imported()
    given = ov.opset13.parameter([1, 3, 8, 8], np.float32)
    return ov.Model([ov.opset13.relu(given)], [given])


@pytest.mark.skipif(bool(OpenvinoEngine().missing()), reason="OpenVINO is not installed")
def test_openvino_offers_no_bfloat16_where_a_variable_holds_its_kernels_to_avx2(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert "bfloat16" not in OpenvinoEngine().precisions()
    assert "float32" in OpenvinoEngine().precisions()
