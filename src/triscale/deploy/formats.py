"""The formats of exported files: by which engine each runs, how its bytes are made, and how they are opened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from triscale.deploy import as_native, as_onnx, as_openvino, as_pt2
from triscale.deploy.about import ExportFormat
from triscale.deploy.exported import Exported
from triscale.deploy.precision.quantizer import Payload
from triscale.errors import UsageError
from triscale.files import write_atomically


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """One kind of exported files.

    Attributes:
        suffix: of their names.
        engine: that runs them, by its name.
        packer: from a model to the bytes of a file.
        runtime: name and version of what runs them; InputError where it is missing.
    """

    suffix: str
    engine: str
    packer: Any
    runtime: Callable[[], str]


FORMATS: Mapping[ExportFormat, Format] = MappingProxyType(
    {
        "onnx": Format(suffix=".onnx", engine="onnxruntime", packer=as_onnx.AsOnnx, runtime=as_onnx.runtime),
        "pt2": Format(suffix=".pt2", engine="torch", packer=as_pt2.AsPt2, runtime=as_pt2.runtime),
        "openvino": Format(
            suffix=".xml", engine="openvino", packer=as_openvino.AsOpenvino, runtime=as_openvino.runtime
        ),
        "native": Format(suffix=".so", engine="native", packer=as_native.AsNative, runtime=as_native.runtime),
    }
)


def kind_of(out: Path, asked: str | None = None) -> ExportFormat:
    """The format of a file by its name, or as asked.

    Raises:
        UsageError: no such format, or a name that does not fit it.
    """
    by_name = next((kind for kind, form in FORMATS.items() if out.suffix == form.suffix), None)
    if asked is not None and asked not in get_args(ExportFormat):
        raise UsageError(f"--format is {asked!r}; give {', '.join(get_args(ExportFormat))} or c.")
    if by_name is None or asked not in {None, by_name}:
        wanted = FORMATS[asked].suffix if asked else ".onnx, .pt2, .xml (OpenVINO) or .so; a folder of C++ needs --to c"  # type: ignore[index]
        raise UsageError(f"{out.name} does not end in {wanted}.")
    return by_name


def require_libraries(form: ExportFormat) -> None:
    """InputError, with the line that installs it, where a library is missing that writes or runs files of a format."""
    FORMATS[form].runtime()
    for name in ("onnx", "onnxscript") if form in ("onnx", "openvino") else ():
        as_onnx.library(name)


def opened(form: ExportFormat, payload: Payload, path: Path) -> Exported:
    """Open the bytes of a file."""
    match form, payload:
        case "onnx", bytes():
            return as_onnx.opened(payload, path)
        case "native", bytes():
            return as_native.opened(payload, path)
        case "pt2", bytes():
            return as_pt2.opened(payload, path)
        case "openvino", (text, weights):
            return as_openvino.opened(text, weights, path)
    raise AssertionError(form)


def put(out: Path, payload: Payload) -> dict[Path, int]:
    """Write a file, and the weights beside it where they are one of their own; their names with their bytes."""
    parts = {out: payload} if isinstance(payload, bytes) else {out: payload[0], out.with_suffix(".bin"): payload[1]}
    for path, part in reversed(parts.items()):  # the one that is opened comes last
        write_atomically(path, part)
    return {path: len(part) for path, part in parts.items()}
