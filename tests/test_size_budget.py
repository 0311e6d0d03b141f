"""Code stays small enough to be read: the budget of lines for files and functions of the package."""

import ast
from collections.abc import Mapping
from statistics import median, quantiles

from tests.paths import ROOT

FILE_MAX, FILE_MEDIAN = 300, 150
FUNCTION_MAX, FUNCTION_P90, FUNCTION_MEDIAN = 60, 30, 12


def file_lengths(sources: Mapping[str, str]) -> dict[str, int]:
    """Count the lines of every file that has any (an empty `__init__.py` would only pull the median down)."""
    return {path: count for path, source in sources.items() if (count := len(source.splitlines()))}


def function_lengths(sources: Mapping[str, str]) -> dict[str, int]:
    """Count the lines of every function from its `def` to its end, docstring included."""
    return {
        f"{path}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path, source in sources.items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def over(lengths: Mapping[str, int], *, most: int, middle: int, p90: int | None = None) -> list[str]:
    """Say which lengths break the budget: each over `most`, a median over `middle`, a ninth decile over `p90`."""
    values = sorted(lengths.values())
    faults = [f"{name}: {length} lines, at most {most}" for name, length in lengths.items() if length > most]
    if values and median(values) > middle:
        faults.append(f"median of {median(values)} lines, at most {middle}")
    if p90 is not None and len(values) > 1 and (decile := quantiles(values, n=10, method="inclusive")[8]) > p90:
        faults.append(f"90% within {decile:.0f} lines, at most {p90}")
    return faults


def package() -> dict[str, str]:
    """Read the sources of the package, by path."""
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")}


def test_files_keep_the_budget() -> None:
    """A long file is two rooms in one."""
    assert over(file_lengths(package()), most=FILE_MAX, middle=FILE_MEDIAN) == []


def test_functions_keep_the_budget() -> None:
    """A long function is several steps without names."""
    lengths = function_lengths(package())
    assert lengths, "no function found: the measure is broken"
    assert over(lengths, most=FUNCTION_MAX, middle=FUNCTION_MEDIAN, p90=FUNCTION_P90) == []


def test_every_part_of_the_budget_can_be_broken() -> None:
    """Each limit is passed by one line, and named."""
    assert over({"a": 61, "b": 1, "c": 1}, most=60, middle=12) == ["a: 61 lines, at most 60"]
    assert over({"a": 13, "b": 13, "c": 1}, most=60, middle=12) == ["median of 13 lines, at most 12"]
    assert over({str(i): 1 if i < 8 else 31 for i in range(11)}, most=60, middle=12, p90=30) == [
        "90% within 31 lines, at most 30"
    ]
    assert over({}, most=1, middle=1, p90=1) == []


def test_a_function_is_measured_from_def_to_end() -> None:
    """Decorators are not counted; docstrings, comments and inner functions are."""
    source = '@cache\ndef f():\n    """One."""\n\n    # why\n    async def g():\n        return 1\n    return g\n'
    assert function_lengths({"m.py": source}) == {"m.py:2 f": 7, "m.py:6 g": 2}
    assert file_lengths({"m.py": source, "empty.py": ""}) == {"m.py": 8}
