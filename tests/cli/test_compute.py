"""`--device` and `--threads` as a command takes them."""

import pytest
import torch
from cyclopts import App, CycloptsError

from triscale.cli.options.compute import HERE, Compute

app = App(result_action="return_value", exit_on_error=False, print_error=False)


@app.default
def command(name: str, /, *, compute: Compute = HERE) -> tuple[str, Compute]:
    """A command that runs torch."""
    return name, compute


def test_both_options_stand_beside_the_commands_own() -> None:
    assert app(["x"]) == ("x", Compute())
    assert app(["x", "--device", "cuda:1", "--threads", "3"]) == ("x", Compute(device="cuda:1", threads=3))


def test_threads_are_a_whole_number() -> None:
    with pytest.raises(CycloptsError, match="whole number"):
        app(["x", "--threads", "1.5"])


def test_the_options_decide_where_torch_computes() -> None:
    before = torch.get_num_threads()
    try:
        assert Compute(device="cpu", threads=before + 1).place() == torch.device("cpu")
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)
