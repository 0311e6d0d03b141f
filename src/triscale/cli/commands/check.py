"""`triscale check`."""

from dataclasses import replace
from typing import Annotated, Any

from cyclopts import Parameter

from triscale import api
from triscale.cli.options.doubtful import LEFT_OUT, Doubtful
from triscale.cli.show.output import Flag, print_json, print_table, print_text, printable
from triscale.cli.show.progress.progress_lines import counting
from triscale.errors import InputError

_CLASSES = 20


def check(
    data: Annotated[str, Parameter(name="DATA")], /, *, doubtful: Doubtful = LEFT_OUT, json: Flag = False
) -> None:
    """Check a data set: what training uses, leaves out, and why.

    Every file is decoded once; the result is cached, so that training starts at once.

    Args:
        data: class folders, an .npz file or pair, a table of path,label[,split] (.csv, .tsv, .txt, .json) or a folder
            with one, .tar shards, flowers (the embedded set), or a torchvision data set and its folder, such as
            cifar10:FOLDER.
        doubtful: see `Doubtful`.
        json: print one JSON document instead of text.
    """
    # A strict check shows everything before it stops.
    with counting("files read and decoded") as progress:
        found = api.check(data, policy=replace(doubtful, strict=False).policy(), progress=progress)
    if json:
        print_json(found)
    else:
        _show(found)
    serious = [one for one in found["findings"] if one["serious"]]
    if doubtful.strict and serious:
        raise InputError(f"{printable(data)} is not in order: {', '.join(_headline(one) for one in serious)}.")


def _show(found: dict[str, Any]) -> None:
    classes = found["classes"]
    print_text(
        f"{printable(found['data'])}: {found['train']:,} training"
        + (f", {found['val']:,} validation" if "val" in found else "")
        + f" and {found['test']:,} test images in {len(classes)} classes"
    )
    if found["native"]:
        print_text(f"original size  {found['native'][0]}x{found['native'][1]} px (of photos the median shorter side)")
    if found["advice"]:
        print_text(f"advice         {found['advice']}")
    print_text(f"fingerprint    {found['fingerprint'][:24]}", "")
    shown = classes if len(classes) <= _CLASSES else sorted(classes, key=lambda one: int(one["train"]))[:_CLASSES]
    splits = [split for split in ("train", "val", "test") if split in found]
    print_table(
        ("class" if shown is classes else f"smallest {_CLASSES} of {len(classes)} classes", *splits),
        [(printable(one["name"]), *(f"{one[split]:,}" for split in splits)) for one in shown],
    )
    for one in found["findings"]:
        print_text("", _sentence(one))
        print_text(*(f"  {example}" for example in one["examples"]))
        if (more := one["count"] - len(one["examples"])) > 0:
            print_text(f"  and {more:,} more")
    print_text("", *found["notes"], _verdict(found))


def _sentence(finding: dict[str, Any]) -> str:
    """The text of a finding without the examples that stand below it."""
    text = str(finding["text"])
    return text.partition(": ")[0] + ":" if finding["examples"] and finding["examples"][0] in text else text


def _headline(finding: dict[str, Any]) -> str:
    return str(finding["text"]).partition(":")[0].rstrip(".")


def _verdict(found: dict[str, Any]) -> str:
    serious = [one for one in found["findings"] if one["serious"]]
    if serious:
        return f"Usable, but look at this first: {', '.join(_headline(one) for one in serious)}."
    return "In order." if not found["findings"] and not found["notes"] else "Usable; see above."
