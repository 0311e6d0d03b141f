"""`triscale benchmark`."""

import json
import sys
from pathlib import Path
from typing import cast
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import Run
from tests.cli.test_compare import line
from tests.latency.measuring.test_measure import result
from triscale.cli.show.benchmark_result import benchmark_document, show_benchmark
from triscale.latency.measuring import Limits, Measured
from triscale.paper import LATENCIES

RESULT_KEYS = {
    "network", "engine", "precision", "threads", "batch", "median_ms", "interval_ms", "rounds", "peak_memory",
    "file_size",
}  # fmt: skip
ONE = ("--engine", "onnxruntime", "--precision", "float32", "--threads", "1", "--batch", "1", "--rounds", "1")


def test_benchmark_has_the_shape_that_scripts_rely_on_and_writes_its_record(run: Run, tmp_path: Path) -> None:
    found = run("benchmark", "smallnet_24", *ONE, "--out", tmp_path, "--json").json
    assert found.keys() >= {"machine", "results", "notices", "clean", "files"}
    (row,) = found["results"]
    assert row.keys() >= RESULT_KEYS
    assert (row["network"], row["engine"], row["precision"]) == ("smallnet_24", "onnxruntime", "float32")
    assert (row["threads"], row["batch"], row["rounds"]) == (1, 1, 1)
    assert row["interval_ms"][0] <= row["median_ms"] <= row["interval_ms"][1]
    (line,) = (tmp_path / "benchmark.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert record["kind"] == "benchmark"
    assert record["results"] == found["results"]
    assert record["command"].startswith("triscale benchmark smallnet_24 --engine onnxruntime --precision float32")
    picture = ET.fromstring((tmp_path / "benchmark.svg").read_text())  # noqa: S314  our own
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"smallnet_24", "onnxruntime float32"} <= set(texts)
    assert any("of less than 95%" in (text or "") for text in texts), "of one round"


def test_the_table_says_what_was_measured_and_what_is_left_out(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    record = tmp_path / "all.jsonl"
    options = ("--engine", "onnxruntime,openvino", "--precision", "float32,bfloat16", "--rounds", "1")
    for _ in range(2):
        found = run("benchmark", "smallnet_24", *options, "--table4", "--out", record)
    assert "smallnet_24  onnxruntime  float32" in found.out
    assert "intervals are wider than 2% of their median" in found.out
    assert " (0%)" in line(found.out, "smallnet_24")
    assert "fewer than six rounds count" in found.out
    assert "ResNet-152 / EfficientNet-B1: not both were measured" in found.out
    assert "openvino is not installed: pip install 'triscale[openvino]'" in found.err
    assert "onnxruntime in bfloat16 is left out" in found.err
    assert len(record.read_text().splitlines()) == 2


def test_the_ratios_of_table_4_say_how_surely_their_intervals_hold(capsys: pytest.CaptureFixture[str]) -> None:
    pair = LATENCIES[0]
    for rounds, mark in (((1.0, 2.0, 3.0), " (75%)"), ((1.0, 2.0, 3.0, 4.0, 5.0, 6.0), "")):
        found = Measured(
            machine={"cpu": "x"}, limits=Limits(), groups=1, out_of_time=False, cores=(0,), slowest=1.0,
            measurements=(result(pair.slower, *rounds), result(pair.faster, *rounds)),
        )  # fmt: skip
        (row,) = cast("list[dict[str, float]]", benchmark_document(found, [], table4=True)["table4"])
        assert row["coverage"] == (0.75 if mark else 0.96875)
        show_benchmark(found, table4=True)
        assert f"1.00 to 1.00{mark}  " in line(capsys.readouterr().out, pair.slower_label)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((), 64, "give the networks to measure"),
        (("smallnet_25",), 64, "smallnet_24"),
        (("smallnet_24", "--engine", "onnx"), 64, "did you mean 'onnxruntime'"),
        (("smallnet_24", "--precision", "bf16"), 64, "did you mean 'bfloat16'"),
        (("smallnet_24", "--engine", "onnxruntime,"), 64, "names with commas"),
        (("smallnet_24", "--threads", "1.5"), 64, "whole numbers above 0"),
        (("smallnet_24", "--batch", "0"), 64, "whole numbers above 0"),
        (("smallnet_24", "--time", "soon"), 64, "write 90s, 30m or 1.5h"),
        (("smallnet_24", "--rounds", "0"), 64, "rounds is 0"),
        (("smallnet_24", "--threads", "100000", "--engine", "onnxruntime"), 64, "need as many cores"),
        (("smallnet_24", "--engine", "torch", "--precision", "int8"), 65, "nothing to measure: torch in int8"),
    ],
)
def test_a_mistake_gives_its_code_and_what_to_do(run: Run, words: tuple[str, ...], code: int, message: str) -> None:
    found = run("benchmark", *words)
    assert found.code == code
    assert message in found.err
    assert len(found.err.splitlines()) <= 3
