"""The grid of class-activation maps: one row an image, one column a network, images embedded."""

import base64
from html import escape
from pathlib import Path

from triscale import units
from triscale.report.study_facts import Facts, label
from triscale.trials.map_records import MapRecord, PictureRecord

_PNG = b"\x89PNG\r\n\x1a\n"
# Images smaller than this are shown with their pixels as they are: smoothing would invent detail.
_SMALL = 96


def cam_grid(facts: Facts, run_folder: Path) -> str | None:
    """The grid as HTML; None where no maps were recorded."""
    pictures = facts.pictures
    if not pictures:
        return None
    columns = list(dict.fromkeys((entry.id, entry.rule) for row in pictures for entry in row.maps))
    heads = "".join(f'<th scope="col">{escape(_name(facts, *column))}</th>' for column in columns)
    rows = "\n".join(_row(picture, columns, run_folder) for picture in pictures)
    return (
        f'<div class="scroll"><table class="cam"><thead><tr><th scope="col">image</th>{heads}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _row(picture: PictureRecord, columns: list[tuple[str, str]], run_folder: Path) -> str:
    maps = {(entry.id, entry.rule): entry for entry in picture.maps}
    cells = "".join(_cell(maps.get(column), picture.label, run_folder) for column in columns)
    name = escape(picture.label)
    original = _image(run_folder, picture.file, f"image of {picture.label}")
    return f'<tr><th scope="row"><figure>{original}<figcaption>{name}</figcaption></figure></th>{cells}</tr>'


def _cell(entry: MapRecord | None, true: str, run_folder: Path) -> str:
    if entry is None:
        return f"<td>{units.MISSING}</td>"
    right = entry.predicted == true
    image = _image(run_folder, entry.file, f"activation map for {entry.predicted}")
    mark, kind = ("✓", "right") if right else ("✗", "wrong")
    text = f'<span class="{kind}" title="{kind}">{mark} {escape(entry.predicted)}</span>'
    sure = f'<span class="soft">{units.percent(entry.probability, 0)}</span>'
    return f"<td><figure>{image}<figcaption>{text}<br>{sure}</figcaption></figure></td>"


def _image(run_folder: Path, name: str, description: str) -> str:
    """A PNG of the run folder as a data URL; a record cannot make the page read any other file."""
    content = b""
    path = (run_folder / name).resolve() if name and "\0" not in name else None
    if path is not None and path.is_relative_to(run_folder.resolve()) and path.is_file():
        content = path.read_bytes()
    if not content.startswith(_PNG):
        return f'<span class="absent">no image: {escape(name)}</span>'
    small = ' class="small"' if int.from_bytes(content[16:20]) < _SMALL else ""
    data = base64.b64encode(content).decode()
    return f'<img{small} alt="{escape(description)}" src="data:image/png;base64,{data}">'


def _name(facts: Facts, id_: str, rule: str) -> str:
    network = facts.known(id_)
    return rule if network is None else label(network)
