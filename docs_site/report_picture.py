"""`python -m docs_site.report_picture`: the first page of the report of results/flowers, light and dark, for README.

It needs Chromium. The files carry the digest of their records, by which a test finds old ones.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, PngImagePlugin

from docs_site.sources import ROOT
from triscale.report import write_report

RECORDS = ROOT / "results" / "flowers" / "records.jsonl"
WIDTH, HEIGHT = 1100, 1080
SCHEMES = {"dark": 0, "light": 1}
"""Chromium's numbers for the reader's preference."""
COLOURS = 64
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def place(scheme: str) -> Path:
    """The file of a colour scheme."""
    return ROOT / "docs" / f"report-{scheme}.png"


def digest() -> str:
    """SHA-256 of the records that the figures show."""
    return hashlib.sha256(RECORDS.read_bytes()).hexdigest()


def _photograph(page: Path, scheme: str, to: Path, browser: str) -> None:
    options = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=5000",
        f"--user-data-dir={to.parent / 'profile'}", f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
        f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={to}",
    ]  # fmt: skip
    subprocess.run([browser, *options, page.as_uri()], check=True, capture_output=True)  # noqa: S603  no shell


def _store(picture: Path, to: Path) -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("records", digest())
    with Image.open(picture) as opened:
        opened.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(to, optimize=True, pnginfo=told)


def main() -> int:
    """Make both figures; 1 without a browser."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        print(f"no browser here: install one of {', '.join(BROWSERS)}", file=sys.stderr)
        return 1
    with TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        run.mkdir()
        shutil.copy(RECORDS, run)
        page = write_report(run)
        for scheme in SCHEMES:
            picture = Path(folder) / f"{scheme}.png"
            _photograph(page, scheme, picture, browser)
            _store(picture, place(scheme))
    return 0


if __name__ == "__main__":
    sys.exit(main())
