"""Answers committed studies again where the rule of the choice has changed since, from their records alone.

`python -m benchmarks.study_answers results/*` appends a new `choice` and `answer` to the records of each folder and
writes its summary. A study that would now choose another network stays as it is: that network's family was not trained.
"""

import sys
from pathlib import Path

from triscale import records as store
from triscale.records import Record, Records
from triscale.report import summary_markdown
from triscale.search.answer import answer_lines
from triscale.search.rank import RULE, choose


def answered_again(records: Records) -> list[Record]:
    """The `choice` and `answer` by today's rule; empty where they are there already or another network is chosen."""
    plan, choice, family, answer = (records.one(kind) or {} for kind in ("plan", "choice", "family", "answer"))
    macs = {one["id"]: one["cost"]["macs"] for one in plan["candidates"]}
    within = [one["id"] for one in plan["candidates"] if one["within"]]
    if choice.get("rule") == RULE or choose(choice["ranking"], macs, within) != choice["chosen"]:
        return []
    chosen = {**choice, "rule": RULE}
    best = next(one for one in family["members"] if one["id"] == answer["best"])
    folder = answer["lines"][-1].rpartition(": ")[2].removesuffix("/best.safetensors")
    lines = answer_lines(Records([*records, chosen]), best, folder)
    return [chosen, {"kind": "answer", "lines": lines, "best": answer["best"]}]


def main(folders: list[Path]) -> None:
    """Answer again what can be, and say what cannot."""
    for folder in folders:
        path = folder / "records.jsonl"
        if not path.exists() or (records := store.read(path)).one("choice") is None:
            continue
        new = answered_again(records)
        for record in new:
            store.append(path, record)
        (folder / "README.md").write_text(summary_markdown(store.read(path)), encoding="utf-8")
        print(f"{folder}: {'answered again' if new else 'as it was'}")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
