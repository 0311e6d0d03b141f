"""Prove what is not yet in the ledger, then write the page.

python -m benchmarks.parity                           torchvision and timm, in this process
python -m benchmarks.parity --keras .venv-keras/bin/python    Keras, in a process of that interpreter
python -m benchmarks.parity --page                    the page alone
"""

import argparse
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

import torch

from benchmarks import harness
from benchmarks.parity import keras_job, ledger, plans, torch_peer
from benchmarks.parity.compare import Verdict, compare
from benchmarks.parity.page import page
from benchmarks.parity.reference import Plan, Reference
from benchmarks.parity.rows import Row, alone, rows
from triscale.costs import count

PAGE = harness.ROOT / "docs" / "parity.md"

Ask = Callable[[str, Plan], Reference]


def prove(row: Row, ask: Ask, versions: ledger.Versions) -> Verdict:
    """Compare one row and append its line."""
    plan = plans.whole(row.of, row.peer)
    verdict = compare(row.of, row.peer, ask(row.model, plan), plan)
    ledger.append(row, versions, plan, verdict)
    return verdict


def prove_all(todo: list[Row], asks: dict[str, Ask], versions: dict[str, ledger.Versions]) -> bool:
    """Every row that the ledger lacks; whether all of them hold."""
    held = True
    entries = ledger.read()
    for number, row in enumerate(todo, 1):
        if ledger.is_recorded(row, versions[row.peer], entries):
            continue
        start = time.monotonic()
        faults = prove(row, asks[row.peer], versions[row.peer]).faults()
        held = held and not faults
        said = ", ".join(faults) or "equal"
        print(f"{number}/{len(todo)} {row.network} {row.peer} {row.model}: {said} ({time.monotonic() - start:.0f} s)")
        sys.stdout.flush()
    return held


def written() -> str:
    """The page of the ledger as it is."""
    entries = ledger.read()
    known = [entries[row.peer, row.model] for row in rows() if (row.peer, row.model) in entries]
    return page(known, alone())


def main() -> int:
    """0 if every row that was compared holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keras", metavar="PYTHON", help="an interpreter that has Keras and TensorFlow")
    parser.add_argument("--network", help="this network alone")
    parser.add_argument("--page", action="store_true", help="prove nothing")
    given = parser.parse_args()
    torch.set_num_threads(1)
    base = {"torch": torch.__version__}
    if given.keras:
        keras = keras_job.Keras(given.keras)
        asks: dict[str, Ask] = {"keras": keras.ask}
        versions: dict[str, ledger.Versions] = {"keras": base | keras.versions}
    else:
        asks = {peer: torch_peer.asking(peer) for peer in ("torchvision", "timm")}
        versions = {peer: base | {peer: version(peer)} for peer in asks}
    wanted = [row for row in rows() if row.peer in asks and given.network in (None, row.network)]
    todo = sorted(wanted, key=lambda row: count(row.of).macs)
    held = given.page or prove_all(todo, asks, versions)
    PAGE.write_text(written(), encoding="utf-8")
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main())
