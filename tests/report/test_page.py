"""The page is whole, safe and opens offline."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.report import sample
from tests.report.reading import Reader, figure
from triscale.errors import InputError, StorageError
from triscale.report import summary_markdown, write_report
from triscale.report.printable_table import Table, TableRow, to_html, to_markdown
from triscale.report.study_facts import facts
from triscale.spec import content_hash
from triscale.trials import TrialStore, read
from triscale.trials.map_records import PictureRecord
from triscale.trials.study_records import CamRecord, FamilyRecord, StudyRecord


def test_nothing_in_the_page_leads_outside(page: str) -> None:
    tags = Reader(page).tags
    addresses = [
        (tag, name, value) for tag, at in tags for name, value in at.items() if name in ("src", "href", "action")
    ]
    assert addresses
    assert [one for one in addresses if not str(one[2]).startswith("data:image/png;base64,")] == []
    assert {tag for tag, _ in tags}.isdisjoint({"link", "iframe", "object", "embed", "base"})
    assert "@import" not in page.partition("</style>")[0]
    policy = next(at["content"] for tag, at in tags if at.get("http-equiv") == "Content-Security-Policy")
    assert str(policy).startswith("default-src 'none'")


def test_the_plotting_script_is_there_once(page: str) -> None:
    assert page.count("* plotly.js v") == 1


def test_the_answer_comes_first_in_a_sentence_then_the_picture_then_the_rest(page: str) -> None:
    """A study without a triangle shows accuracy against cost as its picture."""
    reader = Reader(page)
    text = " ".join(reader.words)
    headline = "At 2.1 times the cost of flower_24, spend it on depth ×1.20, width ×1.10 and resolution ×1.17. It is"
    heads = (headline, "Accuracy against cost", *sample.answer(), "The question", "Equal epochs", "Fine print")
    places = [text.index(one) for one in heads]
    assert places == sorted(places)
    assert page.count("<h2>Accuracy against cost") == 1


def test_the_sentence_tells_the_accuracies_of_the_tables(page: str, tmp_path: Path) -> None:
    """The oracle are the trials: means over seeds of the network to take and of the baseline."""
    found = facts(sample.stored(tmp_path))
    best, baseline = (found.test(id_).mean for id_ in (sample.members()[1].id, content_hash(sample.BASELINE)))
    assert best is not None
    assert baseline is not None
    assert f"right about {100 * best:.1f} % of the test images, the baseline about {100 * baseline:.1f} %." in page


def test_hostile_names_are_shown_and_not_run(page: str, tmp_path: Path) -> None:
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    hostile = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
    found, data = sample.study(hostile, grid="<b onload=x>"), sample.opening().data
    data = msgspec.structs.replace(data, source=f"{hostile}\udcff")  # a folder whose name is not UTF-8
    folder = sample.write_run(tmp_path, found.with_(StudyRecord, data=data, command=hostile))
    attacked = write_report(folder).read_text(encoding="utf-8")
    clean, dirty = Reader(page).tags, Reader(attacked).tags
    assert [tag for tag, _ in clean] == [tag for tag, _ in dirty]
    assert "<img src=x" not in attacked
    assert "<script>alert" not in attacked
    assert "<script>alert" not in summary_markdown(read(folder))
    for number in (0, 1):
        texts = json.dumps(figure(attacked, number), ensure_ascii=False)
        assert "<img" not in texts
        assert "<b onload" not in texts


def test_cells_of_any_table_are_escaped() -> None:
    hostile = Table(("<i>", "|"), (TableRow(("<b>", "a|b <u> `x`"), "tied"),), "<s>")
    assert {tag for tag, _ in Reader(to_html(hostile)).tags}.isdisjoint({"i", "b", "u", "s"})
    assert to_markdown(hostile).splitlines()[2] == r"| &lt;b&gt; | a\|b &lt;u&gt; \`x\` |"


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "cam/absent.png", "cam", "cam/text.png", "a\0b"])
def test_pictures_are_only_read_as_png_from_the_run_folder(tmp_path: Path, name: str) -> None:
    one = PictureRecord(label="x", file=name, maps=())
    folder = sample.write_run(tmp_path / "run", sample.study().with_(CamRecord, pictures=(one,)))
    sample.draw_picture(0, 0).save(tmp_path / "secret.png")
    (folder / "cam" / "text.png").write_text("no image")
    page = write_report(folder).read_text(encoding="utf-8")
    assert Reader(page).images() == []
    assert "no image: " in page


def test_records_of_another_program_end_in_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such record file"):
        write_report(tmp_path)
    for line, complaint in (
        ("no JSON\n{}", "line 1: Expecting value"),
        ('{"event": "start"}', "no records that this triscale can read"),
        ('{"kind": "run", "seed": 0}', "missing required field `id`"),
        ('{"kind": "store", "schema": 3, "triscale": "9.1"}', "schema 3.*\nUse triscale 9.1 or newer"),
    ):
        (tmp_path / "records.jsonl").write_text(line + "\n")
        with pytest.raises(InputError, match=complaint):
            write_report(tmp_path)


def test_a_training_has_no_report(tmp_path: Path) -> None:
    with TrialStore(tmp_path) as store:
        store.put(sample.study().trials()[0])
    with pytest.raises(InputError, match="only a study has a report"):
        write_report(tmp_path)


def test_a_page_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    folder = sample.write_run(tmp_path)
    (folder / "report.html").mkdir()
    with pytest.raises(StorageError, match=r"report\.html failed"):
        write_report(folder)


def test_the_report_needs_neither_torch_nor_numpy() -> None:
    code = "import sys, triscale.report; sys.exit(any(name in sys.modules for name in ('torch', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")
def test_a_browser_draws_both_figures_without_a_complaint(tmp_path: Path) -> None:
    path = write_report(sample.write_run(tmp_path / "run"))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=8000", "--enable-logging=stderr"]
    drawn = subprocess.run(
        ["chromium", *options, "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    assert drawn.stdout.count('class="main-svg"') >= 2
    assert "CONSOLE" not in drawn.stderr


def test_a_choice_that_is_a_corner_is_drawn_once_under_both_names(tmp_path: Path) -> None:
    found = sample.study()
    members = list(found.one(FamilyRecord).members)
    places = {(one.rule, one.phi): place for place, one in enumerate(members)}
    members[places["width", 1]] = msgspec.structs.replace(members[places["compound", 1]], rule="width")
    found = found.with_(FamilyRecord, members=tuple(members))
    page = write_report(sample.write_run(tmp_path, found)).read_text(encoding="utf-8")
    names = json.dumps(figure(page, 0), ensure_ascii=False)
    assert "compound φ=1 = width" in names
    assert "width φ=1" not in names
