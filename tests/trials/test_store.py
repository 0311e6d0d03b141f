"""The store survives being cut anywhere, says what it lost, and gives back what was put."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fixtures import RUNS_OF_0_1
from tests.trials import made
from triscale.errors import BusyError, InputError, NumericError, StorageError
from triscale.recipes import Recipe
from triscale.trials import RECORDS, Epoch, Trial, TrialStore, read
from triscale.trials.study_records import AnswerRecord, EventRecord


def written(folder: Path, count: int = 3) -> Path:
    """A store of so many trials; the path of its file."""
    with TrialStore(folder) as store:
        for seed in range(count):
            store.put(made.trial(seed))
    return folder / RECORDS


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A folder that no disk slows down, where the system has one."""
    shared = Path("/dev/shm")  # noqa: S108  a new folder of its own
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as place:
        yield Path(place)


def opened(folder: Path) -> None:
    """Open a store for writing, and close it."""
    with TrialStore(folder):
        pass


def seeds(folder: Path) -> list[int]:
    return [one.seed for one in read(folder)]


def test_a_file_cut_at_any_byte_of_its_last_two_lines_loses_one_trial_and_takes_the_next(in_memory: Path) -> None:
    with TrialStore(in_memory) as store:
        store.put(*(Trial(job=replace(made.JOB, seed=seed)) for seed in range(3)))
    path, new = in_memory / RECORDS, Trial(job=replace(made.JOB, seed=9))
    content = path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(content) if byte == ord("\n")]
    for cut in range(ends[-3], ends[-1]):
        path.write_bytes(content[:cut])
        whole = [0] if cut < ends[-2] else [0, 1]
        assert read(in_memory).torn == (cut not in ends)
        with TrialStore(in_memory) as store:
            assert [one.seed for one in store] == whole
            store.put(new)
        again = read(in_memory)
        assert ([one.seed for one in again], again.torn) == ([*whole, 9], False)


@pytest.mark.parametrize(
    "damage", [b"\0" * 40, b'{"kind":', b"[1]", b"NaN", b'{"a":NaN}', b"\xff\xfe", b"[" * 100_000, b"\0\0\0:1}", b""]
)
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_damaged_last_line_is_left_out_reported_and_removed(tmp_path: Path, damage: bytes, end: bytes) -> None:
    path = written(tmp_path, 2)
    intact = path.read_bytes()
    path.write_bytes(intact + damage + end)
    found = read(tmp_path)
    assert (len(found), found.torn) == (2, bool(damage + end))
    with TrialStore(tmp_path):
        assert path.read_bytes() == intact


def test_a_file_that_is_only_a_torn_line_starts_anew(tmp_path: Path) -> None:
    (tmp_path / RECORDS).write_bytes(b'{"kind":"sto')
    assert len(read(tmp_path)) == 0
    assert seeds(written(tmp_path).parent) == [0, 1, 2]


def test_a_broken_line_in_the_middle_is_wrong_input_with_its_number(tmp_path: Path) -> None:
    path = written(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b"broken\n", *lines[3:]]))
    for opening in (read, opened):
        with pytest.raises(InputError, match=r"records\.jsonl, line 4: "):
            opening(tmp_path)


def test_a_known_line_with_an_unknown_form_is_never_taken_for_torn(tmp_path: Path) -> None:
    path = written(tmp_path)
    content = path.read_bytes() + b'{"kind":"epoch","key":7}\n'
    path.write_bytes(content)
    with pytest.raises(InputError, match="line 9: Expected `str`, got `int`"), TrialStore(tmp_path):
        pass
    assert path.read_bytes() == content


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 1, 40, 2_000])
def test_a_full_disk_leaves_the_file_as_it_was_and_later_writes_are_whole(tmp_path: Path, room: int) -> None:
    """The trial brings a network, a recipe and data that the file lacks, which must not be taken for written."""
    path = written(tmp_path)
    before, job = path.read_bytes(), replace(made.JOB, network=replace(made.NETWORK, classes=7), recipe=Recipe())
    new = Trial(job=replace(job, data=replace(made.DATA, images=7)), machine={"cpu": "Other"})
    with TrialStore(tmp_path) as store:
        with full_disk(len(before) + room), pytest.raises(StorageError, match="was not written"):
            store.put(new)
        assert path.read_bytes() == before
        assert new.key not in store
        store.put(new)
    assert list(read(tmp_path))[-1] == new


def test_a_store_on_a_full_disk_leaves_no_file_and_can_be_opened_again_later(tmp_path: Path) -> None:
    with full_disk(10), pytest.raises(StorageError), TrialStore(tmp_path) as store:
        store.put(made.trial(0))
    assert not (tmp_path / RECORDS).exists()
    assert seeds(written(tmp_path).parent) == [0, 1, 2]


def test_a_writer_that_is_killed_leaves_whole_lines(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.trials import made; from triscale.trials import TrialStore\n"
        "with TrialStore(Path(sys.argv[1])) as store:\n"
        "    for seed in range(10**6): store.put(made.trial(len(store)))\n"
    )
    known, env = 0, {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(2):
        writer = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=env)
        while not (tmp_path / RECORDS).exists() or len(read(tmp_path)) < known + 20:
            assert writer.poll() is None
            time.sleep(0.01)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        with TrialStore(tmp_path) as store:
            known = len(store)
        assert seeds(tmp_path) == list(range(known))


def test_a_store_of_a_newer_version_is_refused_by_its_name(tmp_path: Path) -> None:
    path = written(tmp_path)
    content = path.read_bytes().replace(b'"schema":2', b'"schema":3').replace(b'"triscale":"', b'"triscale":"9.')
    path.write_bytes(content)
    for opening in (read, opened):
        with pytest.raises(
            InputError, match=r"newer triscale \(schema 3; this one reads 2\).\nUse triscale 9\."
        ) as told:
            opening(tmp_path)
        assert told.value.exit_code == 65
    assert path.read_bytes() == content


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    with TrialStore(tmp_path) as store, ThreadPoolExecutor() as others:
        store.put(made.trial())
        with pytest.raises(BusyError, match=f"another process \\({os.getpid()}\\)") as told:
            others.submit(opened, tmp_path).result()
        assert told.value.exit_code == 75
        with pytest.raises(BusyError, match="is open in this process already"):
            opened(tmp_path)
        assert len(read(tmp_path)) == 1
    opened(tmp_path)


def test_a_number_that_is_not_finite_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(NumericError, match="not finite") as told:
        made.trial(metrics={"validation_top1": float("nan")})
    assert told.value.exit_code == 70
    path, before = written(tmp_path), (tmp_path / RECORDS).read_bytes()
    wrong = Epoch(epoch=3, samples=1, train_loss=float("inf"), validation_top1=0.5)
    with TrialStore(tmp_path) as store:
        with pytest.raises(NumericError, match="a `trial` record holds a number that is not finite"):
            store.put(made.trial(7, history=(wrong,)))
        with pytest.raises(NumericError, match="a `epoch` record holds"):
            store.put_epoch(made.trial(0).key, wrong)
        assert path.read_bytes() == before
        store.put(made.trial(7))
    assert seeds(tmp_path) == [0, 1, 2, 7]


@pytest.mark.parametrize("run", ["study", "study-unfinished", "train", "train-unfinished"])
def test_a_file_of_0_1_is_refused_for_writing_with_a_remedy(tmp_path: Path, run: str) -> None:
    content = (RUNS_OF_0_1 / run / RECORDS).read_bytes()
    (tmp_path / RECORDS).write_bytes(content)
    with pytest.raises(InputError, match=r"by triscale 0\.1.*\nUse another --out") as told, TrialStore(tmp_path):
        pass
    assert told.value.exit_code == 65
    assert (tmp_path / RECORDS).read_bytes() == content


def test_what_cannot_be_opened_ends_in_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such record file"):
        read(tmp_path)
    (tmp_path / RECORDS).mkdir()
    with pytest.raises(StorageError, match="cannot be read"):
        read(tmp_path)


def test_networks_of_one_content_keep_their_names(tmp_path: Path) -> None:
    first, second = (
        Trial(job=replace(made.JOB, seed=seed, network=replace(made.NETWORK, name=name)))
        for seed, name in enumerate(("one", "other"))
    )
    with TrialStore(tmp_path) as store:
        store.put(first, second)
    assert [one.network.name for one in read(tmp_path)] == ["one", "other"]


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink so many fields takes minutes
)
@given(found=st.lists(made.trials, min_size=1, max_size=2))
def test_any_trial_is_given_back_as_it_was_put(in_memory: Path, found: list[Trial]) -> None:
    """Of equal keys the last one counts, in the place of the first; its key is that of its own job."""
    folder = in_memory / str(len(list(in_memory.iterdir())))
    found = [*found, replace(found[0], losses=found[0].losses + 1)]
    with TrialStore(folder) as store:
        for one in found:
            store.put(one)
        inside = list(store)
    last = list({one.key: one for one in found}.values())
    again = list(read(folder))
    assert again == inside == last
    assert [one.key for one in again] == [one.key for one in last]


def test_what_trials_share_stands_in_the_file_once(tmp_path: Path) -> None:
    path = written(tmp_path, 5)
    kinds = [line.split(b'"')[3].decode() for line in path.read_bytes().splitlines()]
    assert kinds == ["store", "network", "recipe", "data", "machine", *["trial"] * 5]


def test_an_epoch_joins_its_trial(tmp_path: Path) -> None:
    first, second = made.trial().history
    with TrialStore(tmp_path) as store:
        store.put(made.trial(state="running", history=()))
        for epoch in (first, second):
            store.put_epoch(made.trial().key, epoch)
        assert next(iter(store)).history == (first, second)
    assert next(iter(read(tmp_path))).history == (first, second)


def test_records_are_found_by_kind_in_order_and_the_latest_is_the_one(tmp_path: Path) -> None:
    events = [EventRecord(at="2026-01-01T00:00:00+00:00", text=text) for text in ("first", "second")]
    with TrialStore(tmp_path) as store:
        for event in events:
            store.add(event, [made.NETWORK])
    found = read(tmp_path)
    assert (found.all(EventRecord), found.one(EventRecord), found.one(AnswerRecord)) == (events, events[1], None)
    assert found.network(made.JOB.to_dict()["network"]) == made.NETWORK


def test_names_that_are_not_utf8_survive(tmp_path: Path) -> None:
    odd = replace(made.JOB, data=replace(made.DATA, classes=("caf\udce9", "b", "c")))
    event = EventRecord(at="", text="caf\udce9")
    with TrialStore(tmp_path) as store:
        store.put(Trial(job=odd))
        store.add(event)
    assert next(iter(read(tmp_path))).job == odd
    assert read(tmp_path).one(EventRecord) == event
