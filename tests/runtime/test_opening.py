"""Libraries that are damaged, foreign or for another processor are rejected before anything of them runs."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.nn.networks import TINY
from tests.runtime.test_compiled_networks import COMPILER
from triscale import runtime
from triscale.errors import BusyError, InputError, UsageError
from triscale.layer_weights import RandomWeights
from triscale.seal import OPEN, refuse_unsealed, seal_of, sealed

pytestmark = COMPILER
NET = TINY["mbconv_se"]


@pytest.fixture(scope="module")
def built() -> Path:
    return runtime.library(NET, RandomWeights(0))


def zeros(count: int = 1) -> "np.typing.NDArray[np.float32]":
    return np.zeros((count, 3, *NET.resolution), np.float32)


def test_a_network_is_compiled_once_for_its_weights(built: Path) -> None:
    before = built.stat().st_mtime_ns
    assert runtime.library(NET, RandomWeights(0)) == built
    assert built.stat().st_mtime_ns == before


def test_it_says_what_it_is(built: Path) -> None:
    found = runtime.open(built)
    assert found.network == NET
    assert found.classes == ()
    assert found.isa == runtime.best_isa()


def test_a_changed_bit_is_found_before_it_is_loaded(built: Path, tmp_path: Path) -> None:
    payload = bytearray(built.read_bytes())
    payload[len(payload) // 2] ^= 1
    (tmp_path / "net.so").write_bytes(payload)
    with pytest.raises(InputError, match="damaged"):
        runtime.open(tmp_path / "net.so", trust=True)


def test_code_from_elsewhere_is_loaded_only_where_it_is_trusted(built: Path, tmp_path: Path) -> None:
    """A copy of what was compiled here needs no trust; the same with other bytes and a seal of its own does."""
    copy, other = tmp_path / "copy.so", tmp_path / "other.so"
    payload = built.read_bytes()
    copy.write_bytes(payload)
    other.write_bytes(sealed(payload.replace(b"sha256-" + seal_of(payload).encode(), OPEN) + b"\0"))
    expected = runtime.open(copy)(zeros())
    with pytest.raises(InputError, match="trust=True"):
        runtime.open(other)
    assert np.array_equal(runtime.open(other, trust=True)(zeros()), expected)


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.so"
    with pytest.raises(InputError, match="cannot read"):
        runtime.open(path)
    path.write_bytes(b"\x7fELF")
    with pytest.raises(InputError, match="not an export"):
        runtime.open(path, trust=True)
    path.write_bytes(sealed(b"\x7fELF" + OPEN))
    refuse_unsealed(path.read_bytes(), path)
    with pytest.raises(InputError, match="not a library for this system"):
        runtime.open(path, trust=True)


def test_other_images_than_it_was_compiled_for_are_refused(built: Path) -> None:
    run = runtime.open(built, batch=2)
    wrong: list[np.typing.NDArray[Any]] = [
        zeros().astype(np.float64), zeros()[0], zeros()[..., :-1], zeros()[:, :2],
    ]  # fmt: skip
    for images in wrong:
        with pytest.raises(UsageError, match="give float32"):
            run(images)
    assert run(zeros(0)).shape == (0, NET.classes)
    assert run(zeros(5)).shape == (5, NET.classes)


@pytest.mark.parametrize(("batch", "threads"), [(0, 1), (1, 0), (-3, 1), (1, 1025)])
def test_a_batch_or_threads_that_cannot_be_are_refused(built: Path, batch: int, threads: int) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        runtime.open(built, batch=batch, threads=threads)


def test_two_threads_in_one_instance_are_refused_and_nothing_is_corrupted(built: Path) -> None:
    """Every answer is right, or an error; at least one of many calls at once meets another."""
    run = runtime.open(built, batch=64)
    images = np.random.default_rng(0).standard_normal((64, 3, *NET.resolution), dtype=np.float32)
    expected, wrong, busy = run(images), [0], [0]

    def call() -> None:
        for _ in range(50):
            try:
                wrong[0] += not np.array_equal(run(images), expected)
            except BusyError:
                busy[0] += 1

    workers = [threading.Thread(target=call) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == [0]
    assert busy[0] > 0


def test_two_instances_answer_at_once(built: Path) -> None:
    first, second = runtime.open(built), runtime.open(built)
    images = np.ones((1, 3, *NET.resolution), np.float32)
    expected = first(images)
    assert np.array_equal(second(images), expected)
    del first
    assert np.array_equal(second(images), expected)
