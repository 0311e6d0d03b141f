"""What can be passed to a callable: its signature, read against the roles and constants of a `ForeignNetwork`."""

import inspect
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from triscale.errors import InputError, did_you_mean
from triscale.foreign.callables import Foreign
from triscale.spec import ForeignNetwork, Role
from triscale.spec.foreign_network import ROLES, UNKNOWN

USUAL: Mapping[Role, str] = MappingProxyType(
    {
        "depth": "depth",
        "width": "width",
        "resolution": "resolution",
        "classes": "num_classes",
        "input_channels": "in_chans",
    }
)
"""What a callable calls each role unless the network's `names` say otherwise."""

SIZE = (224, 224)
"""Pixels of a network whose resolution neither the user nor the callable gives."""

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def sized(network: ForeignNetwork, function: Foreign) -> ForeignNetwork:
    """The network with its resolution filled in: the default of the callable's parameter, else 224x224."""
    if network.resolution != UNKNOWN:
        return network
    known = _parameters(network, function).get(roles(network, function).get("resolution", ""))
    match known.default if known else None:
        case int(side):
            return replace(network, resolution=(side, side))
        case (int(height), int(width)):
            return replace(network, resolution=(height, width))
    return replace(network, resolution=SIZE)


def roles(network: ForeignNetwork, function: Foreign) -> dict[Role, str]:
    """The callable's parameter for each role that it takes.

    A role counts where its parameter is in the signature by name. One that only `**kwargs` could take counts where
    `names` give it, as does `num_classes`, which nearly every such callable hands on.
    """
    parameters, names, open_ended = _parameters(network, function), dict(network.names), _takes_any(function)
    taken = {*dict(network.arguments), *names.values()}
    found: dict[Role, str] = {}
    for role in ROLES:
        name = names.get(role, USUAL[role])
        if not name or (role not in names and name in taken):
            continue
        if name in found.values():
            raise InputError(f"{network.path}: {name} is named for two of {', '.join(ROLES)}; name it once.")
        if name in parameters or (open_ended and (role in names or role == "classes")):
            found[role] = name
        elif role in names:
            raise InputError(f"{network.path} has no parameter {name} for {role}{_near(name, parameters)}")
    return found


def arguments(network: ForeignNetwork, function: Foreign) -> dict[str, Any]:
    """All that the callable is called with, by parameter.

    Raises:
        InputError: a constant that it does not take, one that is given twice, or a parameter that lacks a value.
    """
    parameters, told = _parameters(network, function), roles(network, function)
    given: dict[str, Any] = {}
    for name, value in network.arguments:
        if name in told.values():
            raise InputError(f"{network.path}: {name} is given as an argument and as a dimension; give it once.")
        if name not in parameters and not _takes_any(function):
            raise InputError(f"{network.path} has no parameter {name}{_near(name, parameters)}")
        given[name] = _unfrozen(value)
    values = {name: _value(network, role) for role, name in told.items()}
    given |= {name: value for name, value in values.items() if value is not None}
    lacking = [name for name, one in parameters.items() if one.default is one.empty and name not in given]
    if lacking:
        example = ",".join(f"{name}=..." for name in lacking)
        raise InputError(
            f"{network.path} needs a value for {', '.join(lacking)}.\nGive it behind an @: {network.path}@{example}"
        )
    return given


def _value(network: ForeignNetwork, role: Role) -> object:
    """What the callable gets for a role; None: nothing, so that its own default holds."""
    if role == "resolution":
        height, width = network.resolution
        return height if height == width else (height, width)
    return getattr(network, role) or None


def _parameters(network: ForeignNetwork, function: Foreign) -> dict[str, inspect.Parameter]:
    """The parameters that can be given by name.

    Raises:
        InputError: the callable does not show its signature, or needs a value that has no name.
    """
    try:
        every = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise InputError(f"{network.path} does not show its parameters; wrap it in your own function.") from None
    if any(one.kind is one.POSITIONAL_ONLY and one.default is one.empty for one in every):
        raise InputError(f"{network.path} needs a value without a name; wrap it in your own function.")
    return {one.name: one for one in every if one.kind in _NAMED}


def _takes_any(function: Foreign) -> bool:
    return any(one.kind is one.VAR_KEYWORD for one in inspect.signature(function).parameters.values())


def _near(name: str, parameters: Mapping[str, object]) -> str:
    return f"; {did_you_mean(name, parameters) or f'it has {_listed(parameters)}.'}"


def _listed(parameters: Mapping[str, object]) -> str:
    return ", ".join(parameters) or "none"


def _unfrozen(value: object) -> object:
    """Lists, as people write them."""
    return [_unfrozen(item) for item in value] if isinstance(value, tuple) else value
