"""`python -m docs_site [FOLDER]`: builds the site into a folder, `build/docs` by default; warnings are errors."""

import os
import subprocess
import sys
from pathlib import Path

from docs_site.assembly import assemble
from docs_site.html_links import faults
from docs_site.markdown import BrokenLinkError
from docs_site.sources import ROOT


def build(folder: Path) -> list[str]:
    """Build the site below a folder, in `site`; what is wrong with it, or nothing."""
    try:
        settings = assemble(folder)
    except BrokenLinkError as error:
        return [str(error)]
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(settings)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=quiet)  # noqa: S603  no shell, own arguments
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        return [line for line in lines if not line.startswith("INFO")]
    return faults(folder / "site")


def main() -> int:
    """Build, and say what is wrong or where the site lies."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "docs"
    found = build(folder)
    for fault in found:
        print(fault, file=sys.stderr)
    if not found:
        print(f"{folder / 'site' / 'index.html'}: open it in a browser")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
