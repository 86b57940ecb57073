"""JSON files of other programs that give files their labels, read as the rows of a table.

``metadata.jsonl``, as Hugging Face's imagefolder has it, is a table with an object per line. A JSON file in the form
of COCO lists images, categories and annotations; the class of a photo is the category of its annotations.
"""

import io
from pathlib import PurePosixPath
from typing import Any

from sneaker_core.errors import DamagedError
from sneaker_core.number_text import counted
from sneaker_core.records.dataset_records import CocoFile
from sneaker_core.records.reading import fitting_text, parsed

JSON_ENDINGS = (".json", ".jsonl")


def read_json_lines(text: str) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a table with a JSON object per line; nothing if it is none."""
    rows: list[dict[str, Any]] = []
    for line in io.StringIO(text, newline=None):  # str.splitlines would also break a line within a string of JSON
        if not line.strip():
            continue
        try:
            values = parsed(line, "")
        except DamagedError:
            return [], []
        if not isinstance(values, dict):
            return [], []
        rows.append(values)
    header = list(dict.fromkeys(key for row in rows for key in row))
    return header, [[_cell(row.get(key)) for key in header] for row in rows]


def _cell(value: Any) -> str:
    return str(value).strip() if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def read_coco(name: str, text: str) -> tuple[list[tuple[str, str]], list[str]] | None:
    """The files that a JSON file in the form of COCO names, with their classes.

    Parameters
    ----------
    name : str
        Path of the JSON file in its source.
    text : str

    Returns
    -------
    tuple of (list of (str, str), list of str), or None
        File and class, once for each class that a photo has, or with an empty class for a photo without one; and what
        was assumed, as sentences. None if the file has another form.
    """
    found = fitting_text(text, CocoFile)
    if found is None or not found.categories:
        return None
    names = {one.id: one.name for one in found.categories}
    classes: dict[int | str, list[str]] = {image.id: [] for image in found.images}
    for one in found.annotations:
        label = names.get(one.category_id, "")
        if one.image_id in classes and label and label not in classes[one.image_id]:
            classes[one.image_id].append(label)
    rows = [(image.file_name, label) for image in found.images for label in classes[image.id] or [""]]
    return rows, [f"{PurePosixPath(name)} {_understood(found)}"]


def _understood(found: CocoFile) -> str:
    """How the file was read, after its name."""
    boxes = sum(one.bbox not in (None, []) for one in found.annotations)
    read = f"is in the form of COCO, with {counted(len(found.categories), 'category', 'categories')}"
    if not boxes:
        return f"{read}; a photo's class is the category of its annotation."
    return (
        f"{read}; a photo's class is the category of its annotations, and their {counted(boxes, 'box', 'boxes')} "
        f"{'is' if boxes == 1 else 'are'} not used."
    )
