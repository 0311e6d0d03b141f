"""The public names: `import triscale` is light, and each name means the same from the package as from its room."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import triscale
from triscale import spec
from triscale.errors import InputError, UsageError


def test_the_public_names_are_these() -> None:
    """A name that is added or lost is a decision, not an accident."""
    assert triscale.__all__ == [
        "ForeignNetwork", "__version__", "benchmark", "build", "check", "cost", "evaluate", "explain", "export",
        "fit", "fit_budget", "lite", "load", "network", "networks", "predict", "scale", "scale_by_rules",
        "search_architecture", "study", "train",
    ]  # fmt: skip
    assert set(triscale.__all__) <= set(dir(triscale))
    for name in triscale.__all__:
        assert getattr(triscale, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        triscale.nonsense  # type: ignore[attr-defined]  # noqa: B018


def test_import_loads_nothing_heavy() -> None:
    """In a process of its own; the second line shows that the measure sees what is loaded."""
    code = (
        "import sys, triscale; heavy = {'torch', 'numpy', 'plotly', 'PIL', 'rich', 'cyclopts', 'triscale.spec'}; "
        "print(sorted(heavy & set(sys.modules))); triscale.networks; print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['triscale.spec']"]


def test_a_name_serves_wherever_a_network_is_asked_for() -> None:
    b0 = triscale.network("efficientnet_b0")
    assert "efficientnet_b0" in triscale.networks()
    assert triscale.cost("efficientnet_b0") == triscale.cost(b0)
    assert triscale.scale("efficientnet_b0", width=1.1) == triscale.scale(b0, width=1.1) == spec.scale(b0, width=1.1)
    assert triscale.fit_budget("efficientnet_b0", macs=1e9) == triscale.fit_budget(b0, macs=1e9)


def test_cost_takes_pixels_and_a_batch() -> None:
    one = triscale.cost("mobilenet_v1", resolution=64)
    assert one.resolution == (64, 64)
    assert triscale.cost("mobilenet_v1", resolution=(64, 96)).macs > one.macs
    assert triscale.cost("mobilenet_v1", resolution=64, batch=8).training_memory > one.training_memory


def test_a_limit_that_is_unknown_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="mac"):
        triscale.fit_budget("efficientnet_b0", mac=1e9)


@pytest.mark.parametrize("limit", ["nan", "-1G", "x", None, float("nan"), [1e9]])
def test_a_limit_that_is_no_number_is_a_usage_error(limit: Any) -> None:
    with pytest.raises(UsageError, match="macs"):
        triscale.fit_budget("efficientnet_b0", macs=limit)


@pytest.mark.parametrize("wrong", [3, None, Path("efficientnet_b0")])
def test_what_is_no_network_is_a_usage_error(wrong: Any) -> None:
    for function in (triscale.cost, triscale.scale, triscale.build):
        with pytest.raises(UsageError, match="is not a network"):
            function(wrong)


def test_a_limit_may_be_typed_as_on_the_command_line() -> None:
    assert triscale.fit_budget("efficientnet_b0", macs="1.0G") == triscale.fit_budget("efficientnet_b0", macs=1e9)


def test_build_has_the_counted_parameters() -> None:
    model = triscale.build("smallnet_24")
    assert triscale.cost("smallnet_24").params == sum(one.numel() for one in model.parameters())


def test_load_takes_a_run_folder_or_a_checkpoint(tmp_path: Path) -> None:
    from triscale.spec import Preprocessing
    from triscale.weights import Checkpoint, save

    network = triscale.network("smallnet_24")
    classes = tuple(f"class {index}" for index in range(network.classes))
    state = triscale.build(network).state_dict()
    path = tmp_path / "best.safetensors"
    save(path, Checkpoint(network=network, state=state, classes=classes, preprocessing=Preprocessing()))
    for source in (tmp_path, str(path)):
        model = triscale.load(source)
        assert not model.training
        assert all(model.state_dict()[name].equal(tensor) for name, tensor in state.items())


@pytest.mark.parametrize("name", ["missing", "."])
def test_load_of_nothing_is_wrong_input(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"no such run folder|no best\.safetensors"):
        triscale.load(tmp_path / name)
