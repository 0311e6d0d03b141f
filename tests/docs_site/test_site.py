"""The site builds without a warning, leads nowhere that is not there, and is made of what the code says today."""

import json
import re
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest
from PIL import Image

import triscale
from docs_site import command_pages, report_picture
from docs_site.__main__ import build
from docs_site.assembly import made_pages
from docs_site.docstrings import describe
from docs_site.fact_pages import exit_codes_page, networks_page, paper_tables_page
from docs_site.html_links import faults
from docs_site.markdown import BrokenLinkError, Site, for_site
from docs_site.navigation import navigation
from docs_site.notebooks import as_markdown
from docs_site.python_page import signature
from docs_site.sources import pages
from triscale.cli.app import main
from triscale.families import registry

README = PurePosixPath("README.md")


def test_the_site_builds_without_a_warning_and_opens_from_disk(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="pip install 'triscale[docs]'")
    assert build(tmp_path / "docs") == []
    assert (tmp_path / "docs" / "site" / "index.html").exists()


@pytest.mark.parametrize("one", list(command_pages.commands()), ids=lambda one: " ".join(one.words))
def test_the_page_of_a_command_has_every_option_that_its_help_shows(
    one: command_pages.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*one.words, "--help-all"])
    told = capsys.readouterr().out
    shown = set(re.findall(r"^ +(--[a-z0-9-]+)", told, re.MULTILINE)) - {"--help", "--help-all", "--version"}
    assert shown
    text = one.markdown()
    assert [option for option in shown if f"`{option}`" not in text] == []
    assert text.startswith(f"# triscale {' '.join(one.words)}\n")


def test_every_public_name_is_on_the_page_of_python() -> None:
    text = made_pages()[PurePosixPath("reference/python.md")]
    names = set(triscale.__all__) - {"__version__"}
    assert [
        name for name in sorted(names) if f"### triscale.{name}\n" not in text and f"### {name}\n" not in text
    ] == []


def test_a_signature_is_written_as_its_source_has_it() -> None:
    assert signature(triscale.networks) == "networks(pattern: str = '*') -> list[str]"
    assert "    *,\n    num_classes: int | None = None,\n" in signature(triscale.build)


def test_facts_are_those_of_the_code() -> None:
    assert all(f"| {code} |" in exit_codes_page() for code in (0, 64, 65, 70, 71, 73, 74, 75, 130, 143))
    assert networks_page().count("\n| `") == len(registry())
    assert "  GPipe (AmoebaNet-B)  557.3 M  8.4x  298.8 G  7.9x   84.3   97.0" in paper_tables_page()
    assert "| `efficientnet_b0` | 224x224 | 5.29 M | 386 M | 6.75 M |" in networks_page()


def test_every_page_stands_in_the_navigation_once() -> None:
    places = [*pages().values(), *made_pages()]
    text = str(navigation(places))
    assert [str(one) for one in places if text.count(f"'{one}'") != 1] == []


def test_links_lead_to_pages_of_the_site_and_records_become_their_names() -> None:
    places = {
        README: PurePosixPath("index.md"), PurePosixPath("docs/a/b.md"): PurePosixPath("a/b.md"),
        PurePosixPath("results/x/README.md"): PurePosixPath("results/x.md"),
    }  # fmt: skip
    site = Site(places, lambda path: path.name == "records.jsonl")
    below = PurePosixPath("docs/a/b.md")
    assert for_site("[b](docs/a/b.md#c)", README, site) == "[b](a/b.md#c)\n"
    assert (
        for_site("[home](../../README.md), [x](../../results/x)", below, site)
        == "[home](../index.md), [x](../results/x.md)\n"
    )
    assert for_site('<a href="docs/a/b.md">', README, site) == '<a href="a/b.html">\n'
    assert for_site("[records](records.jsonl)", README, site) == "`records.jsonl`\n"
    assert for_site("`[b](docs/a/b.md)`", README, site) == "`[b](docs/a/b.md)`\n"
    with pytest.raises(BrokenLinkError, match=r"README.md: docs/gone.md leads to no file"):
        for_site("[gone](docs/gone.md)", README, site)


def test_a_list_behind_a_sentence_stays_a_list_and_code_stays_as_it_is() -> None:
    site = Site({}, lambda _: False)
    assert for_site("It is:\n- a\n- b", README, site) == "It is:\n\n- a\n- b\n"
    assert for_site("```\nx\n- a [b](c)\n```", README, site) == "```\nx\n- a [b](c)\n```\n"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="gone.html">', "gone.html leads to no file"),
        ('<a href="#gone">', "#gone leads to no anchor of index.html"),
        ('<a href="/index.html">', "/index.html is absolute, so it does not open from disk"),
        ('<script src="https://example.org/x.js"></script>', "https://example.org/x.js is fetched from a network"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "//example.org/x.css is fetched from a network"),
        ('<img src="gone.png">', "gone.png leads to no file"),
    ],
)
def test_what_does_not_open_from_disk_is_found(body: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        f'<p id="here"><a href="#here">here</a> <a href="https://example.org">out</a>{body}'
    )
    assert faults(tmp_path) == [f"index.html: {fault}"]


def test_a_docstring_becomes_paragraphs_and_lists() -> None:
    text = "Do it.\n\nMore of\nit.\n\nArgs:\n    net: a network,\n        or its name.\n    data, other: <b>.\n"
    assert describe(text).markdown() == (
        "Do it.\n\nMore of it.\n\n**Args**\n\n- `net`: a network, or its name.\n- `data, other`: \\<b>."
    )


def test_a_notebook_becomes_a_page_of_text_and_python() -> None:
    cells = [{"cell_type": "markdown", "source": ["# A\n", "b"]}, {"cell_type": "code", "source": ["x = 1"]}]
    assert as_markdown(json.dumps({"cells": cells})) == "# A\nb\n\n```python\nx = 1\n```\n"


@pytest.mark.parametrize("scheme", sorted(report_picture.SCHEMES))
def test_the_picture_of_a_report_is_of_the_committed_records(scheme: str) -> None:
    """Make them again with `python -m docs_site.report_picture`."""
    with Image.open(report_picture.place(scheme)) as picture:
        assert picture.info["records"] == report_picture.digest()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here")
def test_search_finds_pages_from_disk_and_not_without_our_script(tmp_path: Path) -> None:
    assert build(tmp_path / "docs") == []
    page = tmp_path / "docs" / "site" / "index.html"
    assert re.search(r"\d+ matching documents", dom(page, tmp_path / "first"))
    (page.parent / "assets" / "iframe-worker.js").write_text("")
    assert not re.search(r"\d+ matching documents", dom(page, tmp_path / "second"))


def dom(page: Path, profile: Path) -> str:
    """The page as a browser has it after the reader has searched for a word."""
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
    command = ["chromium", *options, "--virtual-time-budget=10000", "--dump-dom", f"{page.as_uri()}?q=triangle"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
