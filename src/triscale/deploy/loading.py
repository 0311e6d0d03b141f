"""One way in for exported files."""

from pathlib import Path

from triscale.deploy import as_native, as_onnx, as_openvino, as_pt2
from triscale.deploy.exported import Exported
from triscale.errors import InputError

READABLE = (".onnx", ".xml", ".so")
"""Endings of exported files that hold no programs, and of libraries, which are read only where they were compiled."""


def load_exported(path: str | Path, *, trusted: bool = False) -> Exported:
    """An exported file in its runtime, with the lock that it carries.

    Args:
        path: an `.onnx`, an `.xml` of OpenVINO, a `.so` or a `.pt2` that triscale wrote.
        trusted: read a `.pt2`, whose reader in torch runs the programs that such a file may hold, and a `.so` that was
            not compiled on this machine.

    Raises:
        InputError: missing, no export of triscale, damaged, with weights elsewhere, a library is missing, or a `.pt2`
            or `.so` that is not trusted.
    """
    path = Path(path)
    if path.suffix == ".pt2" and not trusted:
        raise InputError(
            f"{path} was not read: torch reads such files with pickle, which can run programs.\n"
            "Use the .onnx, or in Python, if you trust its source, load_exported(path, trusted=True)."
        )
    payload = _content(path)
    match path.suffix:
        case ".onnx":
            return as_onnx.opened(payload, path)
        case ".so":
            return as_native.opened(payload, path, trusted=trusted)
        case ".pt2":
            return as_pt2.opened(payload, path)
        case ".xml":
            return as_openvino.opened(payload, _content(path.with_suffix(".bin")), path)
    raise InputError(f"{path} is not an exported file: its name ends in none of .onnx, .xml, .so, .pt2.")


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise InputError(f"{path}: no such exported file.")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}.") from None
