"""The README beside a shipped file: what it is, how good it is, and how to use it."""

from pathlib import Path

from triscale.report.fit_page import fit_tables
from triscale.report.fit_page.fit_facts import FitFacts
from triscale.report.parts.markdown_parts import bullet_list, section, tables
from triscale.report.printable_table import markdown_text

TEST_SENTENCE = (
    "Each test image counts once. No decision was made on these images: neither the network nor its epochs, nor the "
    "epoch that was kept. Intervals of an accuracy are Wilson's; that of the gain is Tango's, of the same images. MACs "
    "are the multiply-adds of convolutions and linear layers for one image."
)


def commands(facts: FitFacts) -> list[str]:
    """What to type in the folder of the fit."""
    file = "model.onnx" if facts.shipped is None else facts.shipped.file
    data = facts.begun.data.source
    if not (Path(data).is_absolute() or ":" in data or data == "flowers"):
        data = f"path/to/{Path(data).name}"  # it was relative to another folder
    return [
        f"triscale predict {file} photo.jpg",
        f"triscale evaluate {file} --data {data}",
        f"triscale serve --weights {file}",
        "triscale explain . photo.jpg",
    ]


def _made(command: str | None) -> str:
    """The command of the fit, where it is known."""
    if command is None:
        return ""
    return f"This command made it; the same command resumes it, or gives its answer again:\n\n```sh\n{command}\n```"


def fit_readme(facts: FitFacts) -> str:
    """The README of a fit, finished or not."""
    shipped = facts.shipped
    use = ["```sh", *commands(facts), "```"]
    python = [
        "```python", "import triscale", "",
        f'print(triscale.predict("{shipped.file if shipped else "model.onnx"}", "photo.jpg")[0].top[0].name)', "```",
    ]  # fmt: skip
    parts = [
        f"# {markdown_text(f'A network for {facts.begun.data.source}, within limits')}",
        bullet_list(facts.answer or ["No answer yet: the same command resumes the fit."]),
        *(section("Use it", ["\n".join(use), "\n".join(python)]) if shipped else []),
        *section("The limits", tables(fit_tables.limits(facts))),
        *section("What the limit costs", tables(fit_tables.compared(facts))),
        *section("By class", tables(fit_tables.classes(facts))),
        *section("How it was chosen", [bullet_list(facts.plan.reasons) if facts.plan else ""]),
        *section("How it is counted", [markdown_text(TEST_SENTENCE)]),
        *section("How it was made", [_made(facts.begun.command), "`report.html` shows the rest."]),
    ]
    return "\n\n".join(parts) + "\n"
