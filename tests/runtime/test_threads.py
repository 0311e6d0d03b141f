"""Threads change nothing: the same bits for any number of them, beside other work, in many instances and after a fork.

A tile is as small as can be in these tests, so that the smallest networks are cut in every way.
"""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.runtime.test_compiled_networks import COMPILER, KINDS, OPERATORS, POSSIBLE, SMALL, images_for, refuted, small
from tests.spec.strategies import networks
from triscale import compiler, runtime
from triscale.costs import Target
from triscale.engines import ENGINES
from triscale.families.by_name import network
from triscale.layer_weights import RandomWeights
from triscale.machine import Isa
from triscale.runtime.emission import emit
from triscale.runtime.lock_source import lock_source
from triscale.runtime.packing import pack
from triscale.runtime.source_texts import WEIGHTS
from triscale.spec import Network, resolve

pytestmark = [
    COMPILER, pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="this system does not list threads")
]  # fmt: skip
SMALLEST = 1
"""Multiply-adds of a tile."""
THREADS = (1, 2, 3, 4)


def cut(net: Network, isa: Isa | None = None, tile: int = SMALLEST) -> Path:
    """The library of a network in the smallest tiles."""
    return runtime.library(net, RandomWeights(0), isa=isa, tile=tile)


def differing(net: Network, isa: Isa | None = None) -> list[str]:
    """Threads and batches that give other bits than one thread and one image at a time; with what each was."""
    built, images = cut(net, isa), images_for(net, 3)
    alone = runtime.open(built)(images)
    assert np.isfinite(alone).all()
    return [
        f"{net.name} on {isa}: {threads} threads, batch {batch}, call {call}"
        for threads in THREADS
        for batch in (1, 3)
        for run in [runtime.open(built, batch=batch, threads=threads)]
        for call in range(5)
        if not np.array_equal(run(images), alone)
    ]


TALL = replace(SMALL["mbconv_se"], resolution=(65, 18))
"""Its rings and means have blocks of rows."""


@pytest.mark.parametrize("net", [TALL, SMALL["senet"]], ids=["mbconv", "senet"])
def test_any_number_of_threads_gives_the_same_bits(net: Network) -> None:
    """More of them than this machine has cores, too."""
    assert differing(net) == []


def test_the_smallest_tiles_compute_the_modules_logits() -> None:
    """Means from the sums of blocks of rows, and rings that begin in the middle of a map."""
    assert refuted(TALL, tile=SMALLEST, threads=2) == ""


@pytest.mark.slow
@pytest.mark.parametrize("isa", POSSIBLE)
@pytest.mark.parametrize("kind", KINDS, ids=[kind[0] for kind in KINDS])
def test_any_number_of_threads_gives_the_same_bits_in_every_family(kind: tuple[str, float, int, int], isa: Isa) -> None:
    assert differing(small(*kind), isa) == []


@pytest.mark.slow
@given(net=networks(OPERATORS))
@settings(max_examples=20, suppress_health_check=list(HealthCheck), deadline=None)
def test_any_number_of_threads_gives_the_same_bits_in_drawn_networks(net: Network) -> None:
    if sum(len(block.layers) for _, block in resolve(net).flat()) <= 40:
        assert differing(net) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=[kind[0] for kind in KINDS])
def test_the_smallest_tiles_compute_the_modules_logits_in_every_family(kind: tuple[str, float, int, int]) -> None:
    assert refuted(small(*kind), tile=SMALLEST, threads=2) == ""


def test_a_mean_and_a_ring_are_cut_into_blocks_of_rows_in_these_tests() -> None:
    """Else they would prove nothing of them."""
    found = runtime.plan(TALL, runtime.LANES[runtime.best_isa()], tile=SMALLEST)
    kinds = {type(step).__name__ for step, one in zip(found.steps, found.cuts, strict=True) if one.blocks > 1}
    means = [
        step
        for step, one in zip(found.steps, found.cuts, strict=True)
        if one.blocks > 1 and runtime.arena.mean_of(step)
    ]
    assert kinds >= {"Enter", "Convolve", "Ring"}
    assert means


def test_the_engine_runs_on_the_threads_of_its_target() -> None:
    net = network("smallnet_24")
    images = images_for(net, 2)
    before = threads_of_this_process()
    alone, two = (ENGINES["native"].open(net, Target(runtime="native", batch=2, threads=count)) for count in (1, 2))
    assert np.array_equal(alone.run(images), two.run(images))
    assert threads_of_this_process() == before + 1


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Processes that take all the time they get."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_beside_busy_processes_every_call_ends_with_the_same_bits() -> None:
    """As many as this machine has cores."""
    net = TALL
    built, images = cut(net), images_for(net, 2)
    alone, run = runtime.open(built)(images), runtime.open(built, batch=2, threads=3)
    with busy(len(os.sched_getaffinity(0))):
        assert [call for call in range(300) if not np.array_equal(run(images), alone)] == []


def test_instances_with_threads_answer_at_once_and_end() -> None:
    """Four threads of Python, each of which opens, calls and drops instances of three threads."""
    net = SMALL["mbconv_se"]
    built, images, wrong = cut(net), images_for(net, 2), [0]
    alone, before = runtime.open(built)(images), threading.active_count()

    def call() -> None:
        for _ in range(10):
            run = runtime.open(built, batch=2, threads=3)
            wrong[0] += sum(not np.array_equal(run(images), alone) for _ in range(5))

    callers = [threading.Thread(target=call) for _ in range(4)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    assert wrong == [0]
    assert threading.active_count() == before


def threads_of_this_process() -> int:
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def test_threads_are_started_with_an_instance_and_end_with_it() -> None:
    built = cut(TALL)
    before = threads_of_this_process()
    run = runtime.open(built, threads=4)
    assert threads_of_this_process() == before + 3
    del run
    assert threads_of_this_process() == before


def program(folder: Path, net: Network, isa: Isa, main: str, *flags: str) -> Path:
    """The code of a network, the entry functions and a caller as one program."""
    if shutil.which("g++") is None:
        pytest.skip("there is no g++")
    planned = runtime.plan(net, runtime.LANES[isa], tile=SMALLEST)
    packed = pack(planned, RandomWeights(0))
    source, kernels = emit(planned, packed, isa), Path(runtime.__file__).parent / "kernels"
    packed.blob.tofile(folder / WEIGHTS)
    files = {"network.cpp": source.steps, "sizes.h": source.sizes, "about.json": "{}", "main.cpp": main}
    files["lock.h"] = lock_source(net, files["about.json"])
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    tools = compiler.toolchain(isa, "-std=c++20", "-ffp-contract=off")
    includes = [f"-I{folder}" for folder in (kernels, compiler.VECTORS, ".")]
    command = ["g++", *tools.flags, "-O1", *flags, *includes, "network.cpp", "main.cpp"]
    done = subprocess.run(
        [*command, str(kernels / "entry.cpp"), "-o", "net", "-pthread"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[:2000]
    return folder / "net"


IMAGES = """
#include <cstdio>
#include <cstring>
#include <cstdlib>
#include <vector>
#include "sizes.h"
#include "step.h"
#include "triscale_net.h"
static const int PIXELS = TRISCALE_CHANNELS * TRISCALE_HEIGHT * TRISCALE_WIDTH;
static std::vector<float> pictures() {
  std::vector<float> made(2 * PIXELS);
  for (int n = 0; n < 2 * PIXELS; ++n) made[n] = (float)(n * 2654435761u % 1000) / 500 - 1;
  return made;
}
"""

MIXED = """
extern "C" const triscale::Step triscale_steps[TRISCALE_STEPS];
int main() {
  const std::vector<float> images = pictures();
  std::vector<float> wanted(TRISCALE_CLASSES), logits(TRISCALE_CLASSES), own(TRISCALE_OWN);
  triscale_net* net = nullptr;
  if (triscale_create(1, 1, &net) || triscale_run(net, 1, images.data(), wanted.data())) return 9;
  triscale_free(net);
  void* arena = nullptr;
  if (posix_memalign(&arena, 4096, sizeof(float) * TRISCALE_ARENA)) return 9;
  std::memset(arena, 255, sizeof(float) * TRISCALE_ARENA);  // not a number
  const triscale::Task at{(float*)arena, own.data(), images.data(), logits.data()};
  for (const triscale::Step& step : triscale_steps)
    for (int tile = step.tiles - 1; tile >= 0; --tile) {
      std::memset(own.data(), 255, sizeof(float) * TRISCALE_OWN);
      step.run(at, {tile, tile + 1});
    }
  std::free(arena);
  return std::memcmp(logits.data(), wanted.data(), sizeof(float) * TRISCALE_CLASSES) != 0;
}
"""


def test_each_tile_by_itself_in_any_order_gives_the_same_bits(tmp_path: Path) -> None:
    """Backwards, with a ring and an arena that hold no numbers: nothing is taken from a tile that ran before."""
    assert subprocess.run([program(tmp_path, TALL, runtime.best_isa(), IMAGES + MIXED)], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("isa", POSSIBLE)
@pytest.mark.parametrize("kind", KINDS, ids=[kind[0] for kind in KINDS])
def test_each_tile_by_itself_gives_the_same_bits_in_every_family(
    kind: tuple[str, float, int, int], isa: Isa, tmp_path: Path
) -> None:
    assert subprocess.run([program(tmp_path, small(*kind), isa, IMAGES + MIXED)], check=False).returncode == 0


THREADED = """
int main() {
  const std::vector<float> images = pictures();
  std::vector<float> wanted, logits(2 * TRISCALE_CLASSES);
  int faults = 0;
  for (int threads = 1; threads <= 3; ++threads) {
    triscale_net* net = nullptr;
    if (triscale_create(2, threads, &net)) return 9;
    for (int call = 0; call < 3; ++call) {
      faults += triscale_run(net, 2, images.data(), logits.data()) != 0;
      if (wanted.empty()) wanted = logits;
      faults += wanted != logits;
    }
    triscale_free(net);
  }
  return faults;
}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "isa"),
    [(KINDS[0], POSSIBLE[-1]), (KINDS[6], "generic"), (KINDS[10], POSSIBLE[-1]), (KINDS[11], POSSIBLE[-1])],
    ids=["efficientnet", "mobilenet", "resnet164", "senet"],
)  # fmt: skip
@pytest.mark.parametrize("sanitizer", ["thread", "address,undefined"])
def test_sanitizers_find_nothing_in_a_network(
    kind: tuple[str, float, int, int], isa: Isa, sanitizer: str, tmp_path: Path
) -> None:
    """Kernels, entry functions and a caller in one program."""
    flags = "-g", "-w", f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all"
    built = program(tmp_path, small(*kind), isa, IMAGES + THREADED, *flags)
    ran = subprocess.run([built], capture_output=True, text=True, check=False, timeout=300)
    assert (ran.returncode, ran.stderr[:2000]) == (0, "")
