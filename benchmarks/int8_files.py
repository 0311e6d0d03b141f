"""The length of int8 files beside what `file_size` counts.

    python -m benchmarks.int8_files [NETWORK ...]

quantises each network with random weights by ONNX Runtime and by NNCF for OpenVINO, as `triscale export --precision
int8` does, and appends one record a network; the values of weights and images change no length. `--table` prints the
table of docs/memory.md from the last record of each network and makes nothing.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.harness import RECORDS, append, provenance
from triscale.costs import file_size
from triscale.deploy.about import ExportFormat
from triscale.deploy.formats import FORMATS, put
from triscale.deploy.precision.calibration_images import CalibrationImages
from triscale.deploy.precision.lowered_graph import quantizer_of
from triscale.deploy.proven_export import proven
from triscale.nn import build
from triscale.scaling import network
from triscale.spec import Preprocessing
from triscale.weights import Classifier

NETWORKS = ("finenet_48", "smallnet_64", "mobilenet_v2@phi=-7.475")
"""Two small ones, and the answer to the example of docs/memory.md: 512 kB of RAM and 1 MB of flash."""

FORMS: tuple[ExportFormat, ...] = ("onnx", "openvino")
_IMAGES = 8


def lengths(name: str) -> dict[str, object]:
    """Bytes that are counted for a network, and those of its int8 files by their endings."""
    spec = network(name)
    torch.manual_seed(0)
    classes = tuple(map(str, range(spec.classes)))
    classifier = Classifier(model=build(spec).eval(), classes=classes, preprocessing=Preprocessing())
    images = CalibrationImages(images=torch.randn(_IMAGES, spec.input_channels, *spec.resolution))
    found: dict[str, int] = {}
    layers = 0
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMS:
            path = Path(folder) / f"network{FORMATS[form].suffix}"
            made = proven(classifier, path, form)
            quantizer = quantizer_of(made.packer, images, None)
            payload: Any = quantizer.quantized(()).packed(replace(made.about, precision="int8"))
            found |= {file.suffix: count for file, count in put(path, payload).items()}
            layers = len(quantizer.layers)
    return {"network": name, "layers": layers, "counted": file_size(spec, "int8"), "files": found}


def latest() -> list[Mapping[str, Any]]:
    """The last record of each network, in the order in which they first came."""
    every = [json.loads(line) for line in RECORDS.read_text(encoding="utf-8").splitlines()]
    return list({one["network"]: one for one in every if one["name"] == "int8_files"}.values())


def table(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Markdown; sizes in kB of 1,000 bytes, as limits are typed."""
    lines = [
        "| network | layers | counted, kB | .onnx, kB | to counted | .bin, kB | to counted | .xml, kB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in records:
        onnx, weights, text = (row["files"][suffix] for suffix in (".onnx", ".bin", ".xml"))
        counted = row["counted"]
        lines.append(
            f"| `{row['network']}` | {row['layers']} | {counted / 1e3:,.0f} | {onnx / 1e3:,.0f} | "
            f"{onnx / counted:.2f} | {weights / 1e3:,.0f} | {weights / counted:.2f} | {text / 1e3:,.0f} |"
        )
    return lines


def main() -> None:
    """Measure and append, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", metavar="NETWORK")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if not given.table:
        versions = {FORMATS[form].engine: FORMATS[form].runtime() for form in FORMS}
        for name in given.networks or NETWORKS:
            append({**provenance("int8_files"), **lengths(name), "versions": versions, "n": 1})
    print("\n".join(table(latest())))


if __name__ == "__main__":
    main()
