"""The harness of the benchmarks: order of the calls, intervals, and what a record must say."""

import json
import random
import subprocess
from functools import partial
from pathlib import Path
from statistics import median

import pytest

from benchmarks.harness import _commit, append, interleave, processor, provenance, ratio, record
from triscale.intervals import interval


def test_rounds_are_interleaved_and_every_second_one_runs_backwards() -> None:
    """A drift of the machine meets all subjects alike; warm-up calls are not timed."""
    calls: list[str] = []
    seconds = interleave({name: partial(calls.append, name) for name in "AB"}, rounds=3, warmup=1)
    assert "".join(calls) == "AB" + "AB" + "BA" + "AB"
    assert {name: len(times) for name, times in seconds.items()} == {"A": 3, "B": 3}


def test_a_slower_callable_is_measured_as_slower() -> None:
    """The real clock, two amounts of the same work; the bound is far below the true ratio of 20."""
    seconds = interleave({"much": lambda: sum(range(400_000)), "little": lambda: sum(range(20_000))}, rounds=7)
    assert ratio(seconds["much"], seconds["little"]).median > 4
    assert ratio(seconds["little"], seconds["much"]).median < 0.25


def test_ratio_is_taken_within_each_round() -> None:
    """A machine that slows down twofold between rounds changes no ratio."""
    found = ratio([3.0, 6.0, 12.0], [1.0, 2.0, 4.0])
    assert (found.low, found.median, found.high) == (3.0, 3.0, 3.0)


@pytest.mark.parametrize(("n", "low", "high"), [(5, 1, 5), (6, 1, 6), (9, 2, 8), (20, 6, 15), (100, 40, 61)])
def test_interval_has_the_ranks_of_the_tables(n: int, low: int, high: int) -> None:
    """The ranks printed in tables of the distribution-free interval of the median, 95%."""
    found = interval([float(i) for i in range(n, 0, -1)])
    assert (found.low, found.high) == (low, high)


def test_interval_covers_the_true_median_as_often_as_it_says() -> None:
    """2,000 samples of 15 exponential values, whose median is log 2."""
    draw = random.Random(0)
    samples = [[draw.expovariate(1.0) for _ in range(15)] for _ in range(2_000)]
    found = [interval(sample) for sample in samples]
    covered = sum(one.low <= 0.693147 <= one.high for one in found) / len(found)
    assert found[0].coverage == pytest.approx(0.9648, abs=1e-4)
    assert covered == pytest.approx(found[0].coverage, abs=0.015)


def test_few_values_say_that_their_interval_is_unsure() -> None:
    """The range of three values misses the median one time in four; of one value nothing is known; of none, less."""
    assert interval([1.0, 2.0, 3.0]).coverage == 0.75
    assert interval([1.0]).coverage == 0.0
    with pytest.raises(ValueError, match="at least one"):
        interval([])


def test_a_record_names_command_commit_machine_date_and_n(tmp_path: Path) -> None:
    """A number without them cannot be repeated; a line of the file is a record."""
    seconds = {"ours": [1.0, 1.1, 0.9], "peer": [10.0, 10.0, 10.0]}
    entry = record("counting", seconds, against="peer", items=100)
    append(entry, tmp_path / "records.jsonl")
    append(entry, tmp_path / "records.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "records.jsonl").read_text().splitlines()]
    assert lines == [entry, entry]
    assert all(entry[key] for key in ("command", "machine", "date"))
    assert (entry["n"], entry["items"], entry["against"]) == (3, 100, "peer")
    assert lines[0]["times_faster"]["ours"]["median"] == median([10.0, 10 / 1.1, 10 / 0.9])
    assert set(lines[0]["times_faster"]) == {"ours"}


def test_a_record_says_whether_the_sources_were_committed(tmp_path: Path) -> None:
    """A new record does not make the sources dirty, a changed source does, and no checkout means no commit."""
    assert _commit(tmp_path) is None
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for part in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "Start"]):
        subprocess.run(["git", "-C", str(tmp_path), *part], check=True)
    clean = _commit(tmp_path)
    (tmp_path / "records.jsonl").write_text("{}\n")
    assert clean
    assert _commit(tmp_path) == clean
    (tmp_path / "source.py").write_text("")
    assert _commit(tmp_path) == f"{clean}-dirty"


def test_a_record_says_on_which_instruction_sets_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that hold the processor to less stand before the command, as a reader must type them."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    monkeypatch.setenv("TRISCALE_ISA", "avx2")
    entry = provenance("speed")
    assert "ONEDNN_MAX_CPU_ISA=AVX2" in str(entry["command"]).partition(" python ")[0]
    assert processor(entry).endswith("TRISCALE_ISA=avx2")
    assert processor({"machine": {"cpu": "A", "isa": "avx2 bf16", "isa_limits": None}}) == "A (avx2, bf16)"
    assert processor({"machine": {"cpu": "A"}}) == "A", "older records do not say"
