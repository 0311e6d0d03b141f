"""What an architecture search looks at: spaces of networks as data, and budgets inside them."""

from triscale.search.architecture.space import Space, space_around
from triscale.search.architecture.space_budget import Bounds, Budget, budget, nearest, sample
from triscale.search.architecture.space_catalogue import (
    document_of,
    load_space,
    read_space,
    space_names,
    space_text,
)
from triscale.search.architecture.space_document import SpaceDocument, StageChoices
from triscale.search.architecture.stage_choice import Choice, Chosen, Value

__all__ = [
    "Bounds",
    "Budget",
    "Choice",
    "Chosen",
    "Space",
    "SpaceDocument",
    "StageChoices",
    "Value",
    "budget",
    "document_of",
    "load_space",
    "nearest",
    "read_space",
    "sample",
    "space_around",
    "space_names",
    "space_text",
]  # fmt: skip
