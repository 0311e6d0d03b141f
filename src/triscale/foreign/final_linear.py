"""The last layer of a foreign module, which a training for other classes makes again."""

from torch import nn

from triscale.errors import InputError
from triscale.foreign.building import ForeignModel


def last_layer(model: ForeignModel) -> tuple[str, nn.Linear] | None:
    """Its name in the inner module ("" where it is the module itself) and the layer; None where that is not certain.

    It is the only `nn.Linear` with as many outputs as there are classes.
    """
    found = [
        (name, one)
        for name, one in model.module.named_modules()
        if isinstance(one, nn.Linear) and one.out_features == model.num_classes
    ]
    return found[0] if len(found) == 1 else None


def last_layer_prefix(model: ForeignModel) -> str:
    """How the names of its weights begin.

    Raises:
        InputError: it is not certain which layer it is.
    """
    found = last_layer(model)
    if found is None:
        raise InputError(
            f"{model.network.path} has no single nn.Linear of {model.num_classes} outputs, so which layer gives the "
            "classes is unknown.\nWeights of other classes cannot begin it; give weights of these classes."
        )
    return f"{found[0]}." if found[0] else ""
