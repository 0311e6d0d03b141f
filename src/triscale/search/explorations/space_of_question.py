"""The space that a question names."""

from dataclasses import replace

from triscale.errors import UsageError
from triscale.scaling import any_network
from triscale.search.architecture import Space, load_space, space_around
from triscale.search.explorations.search_question import SearchQuestion
from triscale.spec import ForeignNetwork, Network


def space_of(question: SearchQuestion, classes: int, baseline: Network | None = None) -> Space:
    """Around a baseline, or that of the question, else its own; every network has the classes of the data."""
    base = baseline or (any_network(question.network) if question.network else None)
    if isinstance(base, ForeignNetwork):
        raise UsageError(f"{question.network} is code; a space lies around a network of triscale or a spec file.")
    found = load_space(question.space, base)
    return space_around(found.document, replace(found.base, classes=classes))
