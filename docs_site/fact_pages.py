"""Pages of facts that the code holds: exit codes, the networks that have a name, and the paper's tables counted."""

from contextlib import redirect_stdout
from io import StringIO

from docs_site.docstrings import describe
from triscale import errors
from triscale.cli.app import main
from triscale.costs import count
from triscale.errors import TriscaleError
from triscale.families import network, registry
from triscale.units import count as short
from triscale.units import size

SIGNALS = ((130, "Stopped by Ctrl-C."), (143, "Stopped by SIGTERM."), (141, "The reader of the output went away."))


def exit_codes_page() -> str:
    """Every exit code with what it means and the error of Python that it stands for."""
    found = sorted(_errors(), key=lambda one: one.exit_code)
    rows = [f"| {one.exit_code} | `{one.__name__}` | {describe(one.__doc__).paragraphs[0]} |" for one in found]
    rows += [f"| {code} | | {text} |" for code, text in SIGNALS]
    return "\n".join([
        "# Exit codes", "",
        "Made from `triscale.errors` when this site is built. A user's mistake costs at most three lines on the error",
        "stream: what is wrong, where, and what to do. It is never a traceback. In Python the exception has the text.",
        "", "| code | exception | means |", "|---|---|---|", "| 0 | | Done. |", *rows, "",
        "Work that a signal stops is saved first; the same command resumes it.", "",
    ])  # fmt: skip


def _errors() -> list[type[TriscaleError]]:
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, TriscaleError)]
    return [one for one in kinds if one is not TriscaleError]


def networks_page() -> str:
    """The networks that have a name, counted."""
    rows = []
    for name in registry():
        net = network(name)
        cost = count(net)
        counts = " | ".join(map(short, (cost.params, cost.macs, cost.activations)))
        rows.append(f"| `{name}` | {size(net.resolution)} | {counts} |")
    return "\n".join([
        "# Networks", "",
        "Counted when this site is built. `triscale networks` prints them too, with printed figures that differ.",
        "Names are those of timm and torchvision where these have the network.", "",
        "| network | px | params | MACs | activations |", "|---|---|---:|---:|---:|", *rows, "",
    ])  # fmt: skip


TABLES = {
    "table2": "members of the family and networks of similar printed accuracy",
    "table3": "existing networks scaled",
    "table7": "B0 scaled by one dimension and by all three",
}


def paper_tables_page() -> str:
    """What `triscale compare` prints of the paper's tables."""
    parts = [
        "# The paper's tables, counted",
        "Printed by the commands when this site is built. `*` marks what is printed alone.",
    ]
    for name, title in TABLES.items():
        command = f"triscale compare --set {name}"
        parts += [f"## Table {name[-1]}: {title}", f"```text\n$ {command}\n{_printed(command)}\n```"]
    return "\n\n".join(parts) + "\n"


def _printed(command: str) -> str:
    """What a command prints, without the spaces at the ends of lines."""
    with redirect_stdout(StringIO()) as out:
        main(command.split()[1:])
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())
