"""Rendered images: stored whole, mapped read-only, rebuilt when broken."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from triscale.data import open_data
from triscale.data.decode.render_cache import cached_pictures, write_cached
from triscale.data.transforms.area_resize import Pictures
from triscale.errors import OutputError, StorageError
from triscale.files import cache_folder

WHOLE = np.random.default_rng(0).integers(0, 256, (10, 4, 5, 3), dtype=np.uint8)


class Renderer:
    """Yields `WHOLE` in two blocks and counts how often it was asked."""

    asked = 0

    def __call__(self) -> Iterator[Pictures]:
        """Render."""
        self.asked += 1
        yield WHOLE[:7]
        yield WHOLE[7:]


def test_what_is_rendered_once_is_mapped_from_then_on(cache: Path) -> None:
    render, told = Renderer(), list[tuple[int, int]]()
    for _ in range(2):
        got = cached_pictures(cache / "a.npy", (10, 4, 5, 3), render, lambda *progress: told.append(progress))
        np.testing.assert_array_equal(WHOLE, got)
        assert isinstance(got, np.memmap)
        assert not got.flags.writeable
    assert render.asked == 1
    assert told == [(7, 10), (10, 10)]
    assert [path.name for path in cache.iterdir()] == ["a.npy"]


def test_the_file_is_what_numpy_would_have_written(cache: Path) -> None:
    cached_pictures(cache / "a.npy", (10, 4, 5, 3), Renderer(), None)
    np.save(cache / "b.npy", WHOLE)
    assert (cache / "b.npy").read_bytes() == (cache / "a.npy").read_bytes()


BREAKS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "garbage": lambda _: b"no images here",
    "truncated": lambda content: content[:-1],
    "too long": lambda content: content + b"x",
    "half a header": lambda content: content[:40],
    "another shape": lambda content: content.replace(b"(10, 4, 5, 3)", b"(10, 5, 4, 3)"),
    "another type": lambda content: content.replace(b"|u1", b"|i1"),
}


@pytest.mark.parametrize("damage", BREAKS)
def test_a_broken_file_is_rebuilt(cache: Path, damage: str) -> None:
    render, file = Renderer(), cache / "a.npy"
    cached_pictures(file, (10, 4, 5, 3), render, None)
    file.write_bytes(BREAKS[damage](file.read_bytes()))
    np.testing.assert_array_equal(WHOLE, cached_pictures(file, (10, 4, 5, 3), render, None))
    assert render.asked == 2


def test_a_failure_on_the_way_leaves_nothing_behind(cache: Path) -> None:
    def breaks() -> Iterator[Pictures]:
        yield WHOLE[:7]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_pictures(cache / "a.npy", (10, 4, 5, 3), breaks, None)
    assert not list(cache.iterdir())


def test_leftovers_of_a_killed_process_are_swept_after_a_day(cache: Path) -> None:
    cache.mkdir()
    for name in (".a.npy.1.tmp", ".a.npy.2.tmp"):
        (cache / name).write_bytes(b"x")
    os.utime(cache / ".a.npy.1.tmp", (0, 0))
    write_cached(cache / "a", [b"new"])
    assert sorted(path.name for path in cache.iterdir()) == [".a.npy.2.tmp", "a"]


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="TRISCALE_CACHE"):
        write_cached(tmp_path / "file" / "cache" / "a", [b""])


def test_a_full_disk_is_a_storage_error_and_keeps_the_old_file(cache: Path) -> None:
    """A limit on the size of files stands in for a full disk: to the writer both are an OSError of `write`."""
    write_cached(cache / "a", [b"old"])
    limits, action = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        with pytest.raises(StorageError, match="Free some space"):
            write_cached(cache / "a", [b"x" * 900, b"x" * 900])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, action)
    assert (cache / "a").read_bytes() == b"old"
    assert len(list(cache.iterdir())) == 1


def test_two_processes_that_render_the_same_both_get_it(cache: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from triscale.data import open_data; "
        "print(open_data('flowers:48', cache=Path(sys.argv[1])).pictures('test', (24, 24)).sum())"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(cache)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    sums = {process.communicate(timeout=60)[0] for process in running}
    assert sums == {f"{open_data('flowers:48', cache=cache).pictures('test', (24, 24)).sum()}\n"}


def test_the_cache_folder_is_the_users_choice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRISCALE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("TRISCALE_CACHE")
    assert cache_folder() == Path.home() / ".cache" / "triscale"
