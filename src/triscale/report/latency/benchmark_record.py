"""The files of a benchmark: a record, and an image of the medians with their intervals."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from triscale._version import __version__
from triscale.errors import StorageError
from triscale.files import write_atomically
from triscale.latency.measuring import Measurement
from triscale.report.latency.latency_svg import latency_figure


def write_benchmark(
    out: Path, document: Mapping[str, object], measured: Sequence[Measurement], command: str
) -> list[Path]:
    """Append the document as a line to a `.jsonl` file, or to `benchmark.jsonl` of a folder with an image beside it.

    Args:
        out: the file or the folder, which is there.
        document: what was measured.
        measured: the same, to be drawn.
        command: that measured it.

    Raises:
        OutputError: the image cannot be written.
        StorageError: writing failed.
    """
    path = out if out.suffix == ".jsonl" else out / "benchmark.jsonl"
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    line = {"kind": "benchmark", "triscale": __version__, "command": command, "date": moment}
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line | dict(document), allow_nan=False) + "\n")
    except OSError as error:
        raise StorageError(f"writing {path} failed: {error.strerror or error}.") from None
    if path == out:
        return [path]
    picture = out / "benchmark.svg"
    write_atomically(picture, latency_figure(measured).encode())
    return [path, picture]
