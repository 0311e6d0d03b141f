"""Files: whole or not at all, whoever writes beside, and whatever goes wrong."""

import os
import resource
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from triscale.errors import OutputError, StorageError
from triscale.files import Content, replacing, write_atomically


@pytest.fixture
def small_disk() -> Iterator[None]:
    """A limit on the size of files stands in for a full disk: to the writer both are an OSError of `write`."""
    limits, action = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, action)


def test_content_comes_at_once_or_in_pieces(tmp_path: Path) -> None:
    several: list[Content] = [b"whole", [b"wh", memoryview(b"ole")]]
    for content in several:
        write_atomically(tmp_path / "a", content)
        assert (tmp_path / "a").read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_stood_there_is_kept_under_the_name_that_was_given(tmp_path: Path) -> None:
    for content in (b"1", b"2", b"3"):
        write_atomically(tmp_path / "a", content, keep=tmp_path / "before")
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "before").read_bytes()) == (b"3", b"2")


def test_other_users_may_read_what_the_mask_lets_them_read(tmp_path: Path) -> None:
    """As for any file that a program makes: a private temporary file would have hidden a checkpoint from a group."""
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", b"1")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_says_what_is_needed_and_what_to_do(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"old")
    with pytest.raises(
        StorageError, match=r"needs 2,000 bytes, [\d,]+ are free.\nThe old file is untouched. Free some"
    ):
        write_atomically(tmp_path / "a", b"x" * 2000)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot write .*: Not a directory"):
        write_atomically(tmp_path / "file" / "a", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match=r"Is a directory(?s:(?!Free).)*$"):
        write_atomically(tmp_path / "folder", b"")


def test_the_first_of_two_writers_wins_where_it_was_told_so(tmp_path: Path) -> None:
    with replacing(tmp_path / "a", over=False) as late:
        late.write(b"late")
        with replacing(tmp_path / "a", over=False) as early:
            early.write(b"early")
    assert (tmp_path / "a").read_bytes() == b"early"
    assert len(list(tmp_path.iterdir())) == 1


def test_two_writers_in_one_process_do_not_meet(tmp_path: Path) -> None:
    """Threads, or a write inside of a write: each has a file of its own."""
    with replacing(tmp_path / "a") as outer:
        outer.write(b"out")
        write_atomically(tmp_path / "a", b"inner")
        outer.write(b"er")
    assert (tmp_path / "a").read_bytes() == b"outer"


def test_an_error_of_the_writer_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"old")

    def pieces() -> Iterator[bytes]:
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", pieces())
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]
