"""The public functions of `triscale` and the values that they take and give, made from their docstrings."""

import ast
import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from textwrap import dedent
from typing import Any

import triscale
from docs_site.docstrings import describe

VALUES = (
    ("triscale.spec", "Network"),
    ("triscale.spec", "ForeignNetwork"),
    ("triscale.costs", "Cost"),
    ("triscale.costs", "Target"),
    ("triscale.costs", "Metric"),
    ("triscale.scaling", "BudgetFit"),
    ("triscale.scaling", "Coefficients"),
    ("triscale.api.asked", "TrainOptions"),
    ("triscale.search.studies.question", "Question"),
    ("triscale.search.explorations.search_question", "SearchQuestion"),
    ("triscale.api.training", "TrainResult"),
    ("triscale.api.training", "StudyResult"),
    ("triscale.api.searched", "SearchResult"),
    ("triscale.trials", "Trial"),
    ("triscale.prediction", "Prediction"),
    ("triscale.evaluation", "Evaluation"),
    ("triscale.deploy", "Export"),
)
"""The values that the functions take and give, by module and name."""
WIDTH = 100


def python_page() -> str:
    """Functions, then values; every name that `import triscale` offers is there."""
    functions = [getattr(triscale, name) for name in triscale.__all__ if name != "__version__"]
    parts = [
        "# Python API",
        "Made from the docstrings when this site is built. [From Python](../python.md) shows how they go together.",
        "## Functions",
        *(_function(one) for one in functions if inspect.isfunction(one)),
        "## Values",
        *(_value(module, name) for module, name in VALUES),
    ]
    return "\n\n".join(parts) + "\n"


def _function(function: Callable[..., Any]) -> str:
    name = function.__name__
    return f"### triscale.{name}\n\n```text\n{signature(function)}\n```\n\n{describe(function.__doc__).markdown()}"


def _value(module: str, name: str) -> str:
    kind = getattr(import_module(module), name)
    public = getattr(triscale, name, None) is kind
    parts = [f"### {name}", f"`{'triscale' if public else module}.{name}`. {describe(kind.__doc__).markdown()}"]
    fields = list(_fields(kind))
    if fields:
        parts.append("```text\n" + "\n".join(fields) + "\n```")
    methods = [
        f"- `{method}`: {describe(found.__doc__).paragraphs[0]}"
        for method, found in vars(kind).items()
        if not method.startswith("_") and _described(found)
    ]
    return "\n\n".join([*parts, "\n".join(methods)] if methods else parts)


def _described(found: object) -> bool:
    return (inspect.isfunction(found) or isinstance(found, property)) and bool(found.__doc__)


def _fields(kind: type) -> Iterator[str]:
    """The fields as the source writes them, those of its bases first."""
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("triscale"):
            (tree,) = ast.parse(dedent(inspect.getsource(base))).body
            if isinstance(tree, ast.ClassDef):
                yield from (ast.unparse(one) for one in tree.body if _is_field(one))


def _is_field(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.AnnAssign) or "ClassVar" in ast.unparse(statement.annotation):
        return False
    return not ast.unparse(statement.target).startswith("_")


def signature(function: Callable[..., Any]) -> str:
    """The head of a function as its source writes it, on one line or with one parameter a line."""
    (tree,) = (one for one in ast.parse(dedent(inspect.getsource(function))).body if isinstance(one, ast.FunctionDef))
    returns = f" -> {_unquoted(tree.returns)}" if tree.returns else ""
    parameters = list(_parameters(tree.args))
    line = f"{function.__name__}({', '.join(parameters)}){returns}"
    if len(line) <= WIDTH:
        return line
    return f"{function.__name__}(\n" + "".join(f"    {one},\n" for one in parameters) + f"){returns}"


def _parameters(given: ast.arguments) -> Iterator[str]:
    plain = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
    for index, (one, default) in enumerate(zip(plain, defaults, strict=True)):
        yield _parameter(one, default)
        if index + 1 == len(given.posonlyargs):
            yield "/"
    if given.vararg:
        yield "*" + _parameter(given.vararg, None)
    elif given.kwonlyargs:
        yield "*"
    yield from (_parameter(one, default) for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True))
    if given.kwarg:
        yield "**" + _parameter(given.kwarg, None)


def _parameter(one: ast.arg, default: ast.expr | None) -> str:
    kind = f": {_unquoted(one.annotation)}" if one.annotation else ""
    return f"{one.arg}{kind}" + (f"{' = ' if kind else '='}{ast.unparse(default)}" if default else "")


def _unquoted(annotation: ast.expr) -> str:
    return ast.unparse(annotation).replace("'", "").replace('"', "")
