"""Callables are imported by their path, and every way in which that can fail says what to do."""

import sys
from pathlib import Path

import pytest

from tests.foreign import models
from triscale.errors import InputError
from triscale.foreign import build, callable_at, path_of
from triscale.spec import ForeignNetwork

HERE = "tests.foreign.models"


def test_a_path_and_its_callable_name_each_other() -> None:
    assert callable_at(f"{HERE}:tiny") is models.tiny
    assert path_of(models.tiny) == f"{HERE}:tiny"
    assert callable_at("torch.nn:Module.train").__name__ == "train"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("no_such_package.models:build", "there is no module no_such_package, so no_such_package.models cannot"),
        (f"{HERE}.more:build", f"there is no module {HERE}.more.\n"),
        (f"{HERE}:tinny", f"did you mean {HERE}:tiny?"),
        (f"{HERE}:number", "is a int and cannot be called"),
        ("__main__:build", "Move it into a file beside it, such as my_models.py"),
    ],
)
def test_what_cannot_be_imported_says_why(path: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        callable_at(path)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import not_installed_here", "ModuleNotFoundError: No module named 'not_installed_here'"),
        ("raise SystemExit(2)", "SystemExit: 2"),
        ("1 / 0", "ZeroDivisionError"),
        ("def", "SyntaxError"),
    ],
)
def test_a_module_that_fails_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, words: str
) -> None:
    (tmp_path / "broken_module.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match="importing broken_module failed") as caught:
        callable_at("broken_module:build")
    assert words in str(caught.value)
    sys.modules.pop("broken_module", None)


def test_a_callable_of_a_notebook_says_how_to_move_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def inside() -> None: ...

    with pytest.raises(InputError, match="Define it at the top of a module"):
        path_of(inside)
    monkeypatch.setattr(inside, "__module__", "__main__")
    monkeypatch.setattr(inside, "__qualname__", "inside")
    with pytest.raises(InputError, match="name it my_models:inside"):
        path_of(inside)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HERE}:no_module", "returned a dict; it must return a torch.nn.Module"),
        (f"{HERE}:fails_when_wide@width=2", "at depth 1, width 2, 224x224 px failed: ValueError: at most 8 channels"),
        (f"{HERE}:exits", "failed: SystemExit: 3"),
        (f"{HERE}:needs_blocks", "needs a value for blocks"),
        (f"{HERE}:needs_blocks@block=2", "no parameter block; did you mean blocks?"),
        (f"{HERE}:tiny@width=wide", "no parameter wide for width"),
        (f"{HERE}:tiny@width=num_classes,num_classes=3", "give it once"),
        (f"{HERE}:only_positional", "needs a value without a name"),
    ],
)
def test_a_callable_that_cannot_be_called_says_why(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        build(ForeignNetwork.parse(text))
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3
