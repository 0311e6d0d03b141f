"""The notebook in docs/notebooks runs from its first cell to its last, and shows tables, pictures and bars."""

from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT

nbformat = pytest.importorskip("nbformat", reason="needs nbformat: pip install 'triscale[notebook]'")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient: pip install 'triscale[notebook]'")
pytest.importorskip("ipykernel", reason="needs ipykernel: pip install 'triscale[notebook]'")

PLACE = ROOT / "docs" / "notebooks" / "from_images_to_a_budget.ipynb"


def cells(notebook: Any) -> list[Any]:
    """Those with code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell: Any) -> dict[str, Any]:
    """What the last line of a cell is shown as, by media type."""
    (found,) = [one.data for one in cell.outputs if one.output_type == "execute_result"]
    return dict(found)


def test_it_has_ten_cells_and_holds_no_output() -> None:
    """Output would hold numbers without a record, and paths of one machine."""
    notebook = nbformat.read(PLACE, as_version=4)
    nbformat.validate(notebook)
    assert len(cells(notebook)) == 10
    assert all(not cell.outputs and cell.execution_count is None for cell in cells(notebook))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the client of another project, which is not ours to mend
def test_it_runs_and_shows_tables_pictures_and_bars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(PLACE, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=1500, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    _, _, network, cost, trained, study, fit, fitted, score, seen = cells(notebook)
    for cell in (network, cost, trained, study, fit, fitted):
        assert "<table>" in shown(cell)["text/html"]
    assert "of all MACs" in shown(network)["text/html"]
    assert "binds" in shown(fit)["text/html"]
    assert "data:image/svg+xml" in shown(network)["text/html"]
    assert "right about" in shown(score)["text/plain"]
    assert "image/png" in shown(seen)
    for cell in (trained, study, fitted):
        bars = [one.data["text/html"] for one in cell.outputs if one.output_type == "display_data"]
        assert any("<progress" in bar and "100%" in bar for bar in bars), cell.source
