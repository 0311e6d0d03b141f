"""docs/records.md names every field of every line, and no other."""

import re
from dataclasses import fields
from typing import Any, get_args

import msgspec

from tests.paths import ROOT
from triscale.map_scores import MapScore
from triscale.trials import DataUse, Deviation, Epoch, FirstWeights, Numerics, Pipeline
from triscale.trials import map_records as maps
from triscale.trials import pilot_records as pilots
from triscale.trials import study_records as known
from triscale.trials import surface_records as surfaces
from triscale.trials.fits import fit_records as fits
from triscale.trials.lines import SCHEMA, AnyLine
from triscale.trials.searches import rung_records as rungs
from triscale.trials.searches import search_records as searches
from triscale.trials.searches import worth_records as worths

PAGE = (ROOT / "docs" / "records.md").read_text(encoding="utf-8")
VALUES: dict[str, Any] = {
    "data use": DataUse, "data facts": known.DataFacts, "first weights": FirstWeights, "pipeline": Pipeline,
    "numerics": Numerics, "epoch": Epoch, "deviation": Deviation, "candidate": known.CandidateRecord,
    "member": known.MemberRecord, "factors": known.FactorsRecord, "cell": known.CellRecord, "ranked": known.Ranked,
    "asked": surfaces.AskedRecord,
    "shares": surfaces.SharesRecord, "surface": surfaces.SurfaceRecord, "place": surfaces.PlaceRecord,
    "contour": surfaces.ContourRecord, "within half a point": surfaces.WithinRecord,
    "coefficients": known.CoefficientsRecord, "picture": maps.PictureRecord, "map": maps.MapRecord,
    "focus": maps.FocusRecord, "map score": MapScore,
    "transfer": surfaces.TransferRecord,
    "pilot": pilots.PilotRecord, "checkpoint": pilots.CheckpointRecord,
    "finalist": searches.FinalistRecord, "effects": worths.EffectsRecord, "effect": worths.EffectRecord,
    "predictor": worths.PredictorRecord, "drawn": worths.DrawnRecord, "guessing": worths.GuessingRecord,
    "ranks": rungs.RanksRecord,
    "limit": fits.LimitRecord, "class score": fits.ClassScore, "larger score": fits.LargerScore,
}  # fmt: skip


def documented(section: str) -> dict[str, set[str]]:
    """Fields by the first cell of each row of the section's table: what stands in backquotes outside of brackets."""
    text = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")][2:]
    return {
        row[0].strip(" `"): set(re.findall(r"`(\w+)`", re.sub(r"\([^()]*\)", "", row[-1]))) for row in rows
    }  # fmt: skip


def test_every_line_and_its_fields_are_documented() -> None:
    lines = {str(kind.__struct_config__.tag): set(kind.__struct_fields__) for kind in get_args(AnyLine)}
    assert documented("Lines") == lines
    assert f"`schema` ({SCHEMA})" in PAGE


def test_every_value_and_its_fields_are_documented() -> None:
    assert documented("Values") == {
        name: set(kind.__struct_fields__) if issubclass(kind, msgspec.Struct) else {one.name for one in fields(kind)}
        for name, kind in VALUES.items()
    }
