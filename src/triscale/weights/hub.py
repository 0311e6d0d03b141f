"""Weights of a Hugging Face hub id, through the hub's own client: its cache, offline mode, HF_ENDPOINT and tokens."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from triscale.errors import InputError, OutputError, UsageError
from triscale.weights.stored import first_line

PREFIXES = ("hf-hub:", "hf_hub:")
CONFIG, WEIGHTS, PICKLE = "config.json", "model.safetensors", "pytorch_model.bin"


class HubFiles(NamedTuple):
    """The two files of a model on the hub, in the client's cache."""

    config: Path
    weights: Path


def is_hub_id(source: object) -> bool:
    """Whether a source of weights is a hub id such as `hf-hub:timm/efficientnet_b0.ra_in1k`."""
    return isinstance(source, str) and source.startswith(PREFIXES)


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
            f"{source} is no hub id; write hf-hub:OWNER/NAME, such as hf-hub:timm/efficientnet_b0.ra_in1k."
        )
    try:
        client, errors, utils = (import_module(f"huggingface_hub{part}") for part in ("", ".errors", ".utils"))
    except ImportError:
        raise InputError("weights of the hub need its client: pip install 'triscale[hub]'.") from None
    utils.logging.set_verbosity_error()  # it retries for some 20 s; we say in the end what came of it
    if not sys.stderr.isatty():
        utils.disable_progress_bars()
    config = _file(client, errors, name, CONFIG, revision)
    try:
        return HubFiles(config, _file(client, errors, name, WEIGHTS, revision))
    except _NoEntryError:
        if not allow_pth:
            raise InputError(
                f"{source} has no {WEIGHTS}. Its {PICKLE}, if any, is a pickle, a format that can carry programs.\n"
                "If you trust its source, add --allow-pth."
            ) from None
        return HubFiles(config, _file(client, errors, name, PICKLE, revision))


class _NoEntryError(InputError):
    """The model has no such file."""


def _file(client: Any, errors: Any, name: str, file: str, revision: str) -> Path:
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
        raise UsageError(f"hf-hub:{name} is no hub id: {first_line(error)}.") from None
    except errors.HfHubHTTPError as error:
        raise InputError(f"hf-hub:{name}: the hub answered: {first_line(error)}.") from None
    except OSError as error:
        _raise_for_system(name, error)
    except Exception as error:  # noqa: BLE001  of the client's HTTP library, which it changed and may change again
        raise InputError(f"hf-hub:{name}: fetching {file} failed: {first_line(error)}.") from None


def _raise_for_system(name: str, error: OSError) -> NoReturn:
    if error.filename is not None:
        raise OutputError(f"cannot keep {name} in the hub's cache: {error.filename}: {error.strerror}.") from None
    raise InputError(f"hf-hub:{name}: fetching failed: {first_line(error)}.") from None


def read_config(path: Path) -> dict[str, Any]:
    """A model's `config.json`; InputError where it is not one."""
    try:
        if path.stat().st_size > 1 << 20:
            raise InputError(f"{path} is no config.json of a model: it is too large.")
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"cannot read {path}: {first_line(error)}.") from None
    if not isinstance(config, dict) or not isinstance(config.get("architecture"), str):
        raise InputError(f"{path} is no config.json of timm: it names no architecture.")
    return config
