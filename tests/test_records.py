"""Records survive being cut anywhere, and say what they lost."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triscale import records
from triscale.errors import InputError, NumericError, StorageError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(), values, max_size=5)


def written(path: Path, count: int = 3) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = [
        {"kind": "run", "seed": seed, "id": f"{seed:064x}", "validation_top1": 0.1} for seed in range(count)
    ]
    for line in lines:
        records.append(path, line)
    return lines


@pytest.mark.parametrize("lost", range(1, 65))
def test_a_file_cut_in_its_last_64_bytes_loses_one_record_and_takes_the_next(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "records.jsonl"
    lines = written(path)
    path.write_bytes(path.read_bytes()[:-lost])

    cut = records.read(path)
    assert (lines[:2], True) == (cut, cut.torn)

    records.append(path, {"kind": "next"})
    repaired = records.read(path)
    assert ([*lines[:2], {"kind": "next"}], False) == (repaired, repaired.torn)


@pytest.mark.parametrize(
    "damage", [b"\0" * 40, b'{"kind":', b"[1]", b"NaN", b'{"a":NaN}', b"\xff\xfe", b"[" * 100_000, b""]
)
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_damaged_last_line_is_dropped_reported_and_cut_off(tmp_path: Path, damage: bytes, end: bytes) -> None:
    path = tmp_path / "records.jsonl"
    lines = written(path)
    path.write_bytes(path.read_bytes() + damage + end)

    found = records.read(path)
    assert (lines, bool(damage + end)) == (found, found.torn)

    records.append(path, {"kind": "next"})
    assert [*lines, {"kind": "next"}] == records.read(path)


def test_a_broken_line_in_the_middle_is_an_input_error_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    written(path)
    path.write_bytes(path.read_bytes().replace(b'"seed":1', b'"seed"1'))

    with pytest.raises(InputError, match=r"records\.jsonl, line 2: not a JSON object"):
        records.read(path)


def test_a_file_that_is_only_a_torn_line_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(b'{"kind":"stu')
    assert records.read(path) == []

    records.append(path, {"kind": "study"})
    assert path.read_bytes() == b'{"kind":"study"}\n'


def test_lines_longer_than_a_block_survive_and_are_cut_when_torn(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    long = {"kind": "run", "history": "x" * 300_000}
    records.append(path, long)
    records.append(path, long)
    with path.open("ab") as file:
        file.write(json.dumps(long).encode()[:-1])
    records.append(path, {"kind": "next"})
    assert [long, long, {"kind": "next"}] == records.read(path)


@settings(max_examples=50)
@given(lines=st.lists(objects, max_size=5))
def test_what_is_appended_is_read_back(tmp_path_factory: pytest.TempPathFactory, lines: list[dict[str, Any]]) -> None:
    path = tmp_path_factory.mktemp("run") / "records.jsonl"
    path.touch()
    for line in lines:
        records.append(path, line)
    assert lines == records.read(path)


def test_a_number_that_is_not_finite_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    with pytest.raises(NumericError, match="`run` record holds a number that is not finite"):
        records.append(path, {"kind": "run", "train_loss": float("nan")})
    assert not path.exists()


def test_missing_and_unusable_files_end_in_their_own_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such record file"):
        records.read(tmp_path / "records.jsonl")
    with pytest.raises(StorageError, match="cannot be read"):
        records.read(tmp_path)
    with pytest.raises(StorageError, match="not written"):
        records.append(tmp_path / "absent" / "records.jsonl", {"kind": "study"})


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_a_storage_error() -> None:
    with pytest.raises(StorageError):
        records.append(Path("/dev/full"), {"kind": "study"})


def test_kinds_are_found_in_order_and_the_latest_of_one_wins() -> None:
    found = records.Records([{"kind": "run", "seed": 0}, {"kind": "answer", "lines": []}, {"kind": "run", "seed": 1}])
    assert [run["seed"] for run in found.all("run")] == [0, 1]
    latest = found.one("run")
    assert latest is not None
    assert latest["seed"] == 1
    assert found.one("plan") is None
