"""Weights of a Hugging Face hub id, through the hub's own client: its cache, offline mode, HF_ENDPOINT and tokens."""

import json
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from triscale.errors import InputError, OutputError, UsageError
from triscale.weights.read.sniff import INDEX, shards_of
from triscale.weights.read.tensor_file import first_line

PREFIXES = ("hf-hub:", "hf_hub:")
CONFIG, WEIGHTS, PICKLE = "config.json", "model.safetensors", "pytorch_model.bin"
PREPROCESSOR = "preprocessor_config.json"


class HubFiles(NamedTuple):
    """The files of a model in the client's cache, or in a folder; only transformers has a `preprocessor`."""

    config: Path
    weights: Path
    preprocessor: Path | None = None


def files_in(folder: Path, *, allow_pth: bool = False) -> HubFiles | None:
    """The files of a model in a folder, as they lie on the hub; None where it has no config.

    Raises:
        InputError: no weights beside the config, or none but a pickle.
    """
    config, preprocessor = folder / CONFIG, folder / PREPROCESSOR
    if not config.is_file():
        return None
    weights = weights_in(folder)
    if weights is None:
        raise InputError(f"{folder} holds a {CONFIG}, but neither {WEIGHTS} nor {PICKLE}.")
    if weights.name.startswith(PICKLE) and not allow_pth:
        raise InputError(
            f"{folder} holds no {WEIGHTS}; its {PICKLE} is a pickle, a format that can carry programs.\n"
            "If you trust its source, add --allow-pth."
        )
    return HubFiles(config, weights, preprocessor if preprocessor.is_file() else None)


def weights_in(folder: Path) -> Path | None:
    """The file of weights in a folder that was made for the hub, or the list of its shards."""
    names = (WEIGHTS, WEIGHTS + INDEX, PICKLE, PICKLE + INDEX)
    return next((folder / name for name in names if (folder / name).is_file()), None)


def is_hub_id(source: object) -> bool:
    """Whether a source of weights is a hub id such as `hf-hub:timm/efficientnet_b0.ra_in1k`."""
    return isinstance(source, str) and source.startswith(PREFIXES)


def _report_nothing(constants: Any) -> None:
    """The client asks for files and tells the hub no more than that: neither usage nor the versions that are here."""
    for switch in ("HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_UPDATE_CHECK"):
        setattr(constants, switch, True)


def fetch(source: str, *, allow_pth: bool = False) -> HubFiles:
    """Fetch a model's config and weights, unless the cache has them.

    Args:
        source: `hf-hub:OWNER/NAME`, with `@REVISION` behind it where it is not the main one.
        allow_pth: take `pytorch_model.bin`, a pickle, where there are no safetensors.

    Raises:
        UsageError: it does not look like an id.
        InputError: the client is not installed, the hub has no such model, or cannot be reached.
        OutputError: the cache cannot be written to.
    """
    name, _, revision = source.partition(":")[2].partition("@")
    if name.count("/") != 1 or ".." in name or not all(name.split("/")):
        raise UsageError(
            f"{source} is not a hub id; write hf-hub:OWNER/NAME, such as hf-hub:timm/efficientnet_b0.ra_in1k."
        )
    try:
        client, constants, errors, utils = (
            import_module(f"huggingface_hub{part}") for part in ("", ".constants", ".errors", ".utils")
        )
    except ImportError:
        raise InputError("weights of the hub need its client: pip install 'triscale[hub]'.") from None
    _report_nothing(constants)
    utils.logging.set_verbosity_error()  # it retries for some 20 s; we say in the end what came of it
    if not sys.stderr.isatty():
        utils.disable_progress_bars()
    fetched = partial(_file, client, errors, name, revision=revision)
    config = fetched(CONFIG)
    preprocessor = _unless_missing(fetched, PREPROCESSOR) if b'"model_type"' in config.read_bytes() else None
    for names in (WEIGHTS, PICKLE) if allow_pth else (WEIGHTS,):
        weights = _unless_missing(fetched, names) or _shards(fetched, names + INDEX)
        if weights:
            return HubFiles(config, weights, preprocessor)
    raise InputError(
        f"{source} has no {WEIGHTS}. Its {PICKLE}, if any, is a pickle, a format that can carry programs.\n"
        "If you trust its source, add --allow-pth."
    )


def _unless_missing(fetched: Callable[[str], Path], file: str) -> Path | None:
    try:
        return fetched(file)
    except _NoEntryError:
        return None


def _shards(fetched: Callable[[str], Path], index: str) -> Path | None:
    """The list of a model's shards, after they were fetched too: the cache keeps them beside it."""
    listed = _unless_missing(fetched, index)
    for shard in shards_of(listed) if listed else ():
        fetched(shard.name)
    return listed


class _NoEntryError(InputError):
    """The model has no such file."""


def _file(client: Any, errors: Any, name: str, file: str, *, revision: str) -> Path:
    """One file; the client's many errors become ours, in one line each."""
    try:
        return Path(client.hf_hub_download(name, file, revision=revision or None))
    except errors.GatedRepoError:
        raise InputError(
            f"hf-hub:{name} is open only to those who accepted its terms: log in with `hf auth login`."
        ) from None
    except errors.RepositoryNotFoundError:
        raise InputError(f"hf-hub:{name}: the hub has no such model, or it is private.") from None
    except errors.RevisionNotFoundError:
        raise InputError(f"hf-hub:{name} has no revision {revision!r}.") from None
    except errors.LocalEntryNotFoundError:
        raise InputError(f"hf-hub:{name}: the hub cannot be reached, and its cache has no {file} of it.") from None
    except errors.EntryNotFoundError:
        raise _NoEntryError(f"hf-hub:{name} has no file {file}.") from None
    except errors.HFValidationError as error:
        raise UsageError(f"hf-hub:{name} is not a hub id: {first_line(error)}.") from None
    except errors.HfHubHTTPError as error:
        raise InputError(f"hf-hub:{name}: the hub answered: {first_line(error)}.") from None
    except OSError as error:
        _raise_for_system(name, error)
    except Exception as error:  # noqa: BLE001  of the client's HTTP library, which it changed and may change again
        raise InputError(f"hf-hub:{name}: the hub cannot be reached for {file}: {first_line(error)}.") from None


def _raise_for_system(name: str, error: OSError) -> NoReturn:
    if error.filename is not None:
        raise OutputError(f"cannot keep {name} in the hub's cache: {error.filename}: {error.strerror}.") from None
    raise InputError(f"hf-hub:{name}: fetching failed: {first_line(error)}.") from None


def read_config(path: Path) -> dict[str, Any]:
    """A model's `config.json` or `preprocessor_config.json`; InputError where it is not one."""
    try:
        if path.stat().st_size > 1 << 20:
            raise InputError(f"{path} is no {path.name} of a model: it is too large.")
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"cannot read {path}: {first_line(error)}.") from None
    if not isinstance(config, dict):
        raise InputError(f"{path} is no {path.name} of a model: it names no architecture.")
    return config
