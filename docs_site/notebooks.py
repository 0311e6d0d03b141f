"""A notebook as a page: its cells without what they printed."""

import json


def as_markdown(notebook: str) -> str:
    """Markdown cells as they are, cells of code as blocks of Python.

    Args:
        notebook: the text of an .ipynb file.
    """
    cells = [(cell["cell_type"], "".join(cell["source"]).strip()) for cell in json.loads(notebook)["cells"]]
    return "\n\n".join(text if kind == "markdown" else f"```python\n{text}\n```" for kind, text in cells) + "\n"
