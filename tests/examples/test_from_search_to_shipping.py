"""The page that goes the paper's whole way runs as it stands, here with fewer and shorter trainings."""

import json
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.paths import ROOT
from triscale.cli.app import main
from triscale.costs import count
from triscale.spec import Network, content_hash, from_dict
from triscale.trials import read
from triscale.trials.study_records import AnswerRecord, PlanRecord

PAGE = ROOT / "docs" / "from-search-to-shipping.md"
SHORTER = {
    "--data": "flowers:240", "--trials": "4", "--epochs": "2", "--final-epochs": "2", "--seeds": "1",
    "--candidates": "4", "--trainings": "4",
}  # fmt: skip


def commands(text: str) -> list[list[str]]:
    """The arguments of every command of the page, in order."""
    found = re.findall(r"^\$ triscale (.+?)(?:\s+#.*)?$", text, re.MULTILINE)
    return [shlex.split(one) for one in found]


def shorter_block(text: str) -> str:
    """The Python of the page, with the same numbers as `shorter`."""
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    block = re.sub(r'"flowers:\d+"', f'"{SHORTER["--data"]}"', block)
    for option, value in SHORTER.items():
        block = re.sub(rf"\b{option[2:].replace('-', '_')}=\d+", f"{option[2:].replace('-', '_')}={value}", block)
    return block


def shorter(words: list[str]) -> list[str]:
    """The same command on fewer images, with fewer and shorter trainings."""
    return [SHORTER.get(before, word) for before, word in zip(["", *words], words, strict=False)]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("onnxruntime") is None, reason="pip install 'triscale[export]'")
def test_every_command_of_the_page_works_and_hands_on_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = commands(PAGE.read_text(encoding="utf-8"))
    assert [words[0] for words in asked] == ["search", "study", "scale", "scale", "train", "export", "evaluate"]
    for words in asked:
        assert main(shorter(words)) == 0, (words, capsys.readouterr().err)
    assert "images" in capsys.readouterr().out
    found = from_dict(json.loads(Path("search/best.json").read_text()))
    plan, answer = read(Path("study")).one(PlanRecord), read(Path("study")).one(AnswerRecord)
    assert plan is not None
    assert answer is not None
    assert plan.baseline.id == content_hash(found)
    members = [from_dict(json.loads(Path(f"phi{phi}.json").read_text())) for phi in (1, 2)]
    ratios = [count(one).macs / count(found).macs for one in members]
    assert ratios == [pytest.approx(2, rel=0.35), pytest.approx(4, rel=0.35)]
    check_python(shorter_block(PAGE.read_text(encoding="utf-8")), members[1])


def check_python(block: str, member: Network) -> None:
    """It finds everything done by the commands, and ends in the same network."""
    before = {path: path.read_bytes() for path in Path().glob("*/records.jsonl")}
    assert len(before) == 3
    code = f"{block}\nfrom triscale.spec import content_hash\nprint(content_hash(member))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == content_hash(member)
    assert before == {path: path.read_bytes() for path in before}, "nothing was trained again"
