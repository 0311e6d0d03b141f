"""The order of the pages: what a reader sees at the side."""

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

Entry = dict[str, Any]
"""A title and the place of its page, or a list of further entries, as MkDocs reads it."""

HOME = "index.md"
NAVIGATION: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Start",
        (
            "start.md", "in-notebooks.md", "notebooks/from_images_to_a_budget.md", "doctor.md", "completion.md",
            "glossary.md",
        ),
    ),
    (
        "How to",
        (
            "fit.md", "how-to/your-images.md", "foreign.md", "how-to/a-budget.md", "how-to/train.md",
            "how-to/transfer.md", "how-to/study.md", "how-to/search.md", "from-search-to-shipping.md",
            "how-to/predict.md", "how-to/weights.md", "how-to/export.md", "how-to/serve.md",
            "how-to/many-machines.md", "clusters.md",
        ),
    ),
    (
        "Explanation",
        (
            "explanation/compound-scaling.md", "explanation/triangle.md", "explanation/what-is-counted.md",
            "explanation/exact-resume.md", "explanation/fast-kernels.md", "memory.md", "latency.md", "native.md",
            "int8.md", "focus.md", "samplers.md", "search-spaces.md",
        ),
    ),
    (
        "Reference",
        (
            "reference/commands/index.md", "reference/python.md", "python.md", "reference/networks.md", "rules.md",
            "records.md", "json.md", "reference/exit-codes.md", "reference/files.md", "benchmark.md",
        ),
    ),
    (
        "Evidence",
        (
            "evidence/paper.md", "evidence/tables.md", "evidence/measurements.md", "evidence/latency.md",
            "errata.md", "parity.md", "imagenet-study.md",
        ),
    ),
    (
        "Contributing",
        (
            "contributing/contributing.md", "contributing/architecture.md", "contributing/changelog.md",
            "contributing/security.md", "stability.md", "licences.md", "release.md", "LOG.md",
        ),
    ),
)  # fmt: skip
"""The pages of every section, by their place in the site."""
LAST = {"reference": "Reference", "results": "Evidence", "decisions": "Contributing", "contributing": "Contributing"}
"""The section that has the other pages of a folder, after its own."""
OTHERS = "Contributing"


def navigation(places: Iterable[PurePosixPath]) -> list[Entry]:
    """The navigation over all pages that there are; each stands in it once."""
    left = dict.fromkeys(map(str, sorted(places)))
    del left[HOME]
    sections: dict[str, list[Any]] = {}
    for title, wanted in NAVIGATION:
        sections[title] = [one for one in wanted if one in left]
        for one in sections[title]:
            del left[one]
    for folder in dict.fromkeys(one.partition("/")[0] for one in left if "/" in one):
        inside = [one for one in left if one.startswith(f"{folder}/")]
        sections[LAST.get(folder, OTHERS)].append({_title(folder, inside): inside})
    sections[OTHERS] += [one for one in left if "/" not in one]
    return [{"Home": HOME}, *({title: entries} for title, entries in sections.items() if entries)]


def _title(folder: str, inside: list[str]) -> str:
    return "Commands" if all("/commands/" in one for one in inside) else folder.capitalize()
