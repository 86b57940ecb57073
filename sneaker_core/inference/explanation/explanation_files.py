"""Explanations on disk: zip archives of overlays, and class-average maps."""

import contextlib
import csv
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sneaker_core.csv_cells import escape_formula
from sneaker_core.errors import DamagedError, SneakerError, SpaceError
from sneaker_core.inference.explanation.class_average_maps import ClassAverageMap
from sneaker_core.inference.explanation.explain_photos import Explanation
from sneaker_core.inference.explanation.explanation_request import DEFAULT_OPACITY
from sneaker_core.inference.explanation.heat_maps import overlay, strongest_area
from sneaker_core.records.evaluation_records import ClassMapRow
from sneaker_core.records.reading import checked, read_rows
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.zip_entries import zip_entry

TABLE_FILE = "explanations.csv"
CLASS_MAPS_FILE = "means.json"
_COLUMNS = ("image", "file", "target", "versus", "method", "layer", "error")


class PictureNames:
    """Unique file names for overlays; photos of the same name get numbers."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, image: str | Path) -> str:
        """File name of a photo's overlay."""
        stem = first = Path(image).stem
        number = 1
        while f"{stem}.png".casefold() in self._taken:
            number += 1
            stem = f"{first}-{number}"
        self._taken.add(f"{stem}.png".casefold())
        return f"{stem}.png"


def write_zip(target: Path, explanations: Iterable[Explanation]) -> tuple[int, dict[str, str]]:
    """Write overlays and a table of them to a zip file, which appears only when complete.

    Parameters
    ----------
    target : Path
    explanations : iterable of Explanation
        From `explain_files`.

    Returns
    -------
    int
        Number of overlays.
    dict of str to str
        Photo -> why it couldn't be read.

    Raises
    ------
    SpaceError
        The file can't be written.
    """
    unfinished, names = target.with_name(f".{target.name}.part"), PictureNames()
    rows: list[dict[str, Any]] = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # PNG files are compressed already.
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
            for explanation in explanations:
                name = names.of(explanation.image) if explanation.error is None else None
                if name is not None:
                    archive.writestr(zip_entry(name), explanation.png())
                rows.append(_row(explanation, name))
            archive.writestr(zip_entry(TABLE_FILE), _table(rows))
        unfinished.replace(target)
    except OSError as error:
        raise SpaceError(f"Can't write {target}: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    failed = {row["image"]: row["error"] for row in rows if row["error"]}
    return len(rows) - len(failed), failed


def _row(explanation: Explanation, name: str | None) -> dict[str, Any]:
    request, error = explanation.request, explanation.error
    values = (explanation.image, name, request.target, request.versus, request.method.value, request.layer, error)
    return dict(zip(_COLUMNS, values, strict=True))


def _table(rows: Sequence[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    # Users share archives, so the table has file names without folders.
    shown = ({**row, "image": Path(row["image"]).name} for row in rows)
    writer.writerows({key: escape_formula(value) if value else "" for key, value in row.items()} for row in shown)
    return text.getvalue().encode(errors="replace")


@dataclass(frozen=True)
class StoredClassMap:
    """A class-average map on disk.

    Attributes
    ----------
    label : str
    right : bool
        Whether it averages photos that were predicted correctly; otherwise those predicted as another class.
    count, available : int
        Number of photos averaged, and of photos on this machine.
    unreadable : int
        Number of sampled photos that couldn't be read.
    area : str
        The area where the map is strongest, for example "center left".
    share : float
        That area's share of the map, 0 to 1.
    picture, photo, heat : Path
        The overlay, the average photo, and the map in gray (255 is 1); the files don't exist if `count` is 0.
    """

    label: str
    right: bool
    count: int
    available: int
    unreadable: int
    area: str
    share: float
    picture: Path
    photo: Path
    heat: Path

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON, without the paths."""
        return {key: getattr(self, name) for key, name in _KEYS.items()}


# Keys of a record in JSON, and the attributes of `StoredClassMap`.
_KEYS = {
    "label": "label",
    "right": "right",
    "n": "count",
    "of": "available",
    "unreadable": "unreadable",
    "place": "area",
    "share": "share",
}


def write_class_maps(
    folder: Path, maps: Sequence[ClassAverageMap], opacity: float = DEFAULT_OPACITY
) -> list[StoredClassMap]:
    """Write class-average maps to a folder, ``means.json`` last, so that an incomplete folder is recognized.

    Raises
    ------
    SpaceError
        The files can't be written.
    """
    rows = []
    try:
        for number, average in enumerate(maps):
            stem = f"{number // 2 + 1:02}-{'right' if average.right else 'wrong'}"
            if average.count:
                photo = Image.fromarray(average.picture)
                gray = Image.fromarray((average.heat.clip(0, 1) * 255).round().astype(np.uint8))
                pictures = {"": overlay(photo, average.heat, opacity), "-photo": photo, "-map": gray}
                for ending, picture in pictures.items():
                    write_atomically(folder / f"{stem}{ending}.png", _png(picture), is_change=False)
            rows.append({**_record(average), "files": stem})
        text = json.dumps(rows, indent=1, ensure_ascii=False)
        write_atomically(folder / CLASS_MAPS_FILE, text.encode(errors="replace"), is_change=False)
    except OSError as error:
        raise SpaceError(f"Can't write the class-average maps to {folder}: {error.strerror or error}.") from error
    return [_stored(folder, checked(row, ClassMapRow, folder)) for row in rows]


def _record(average: ClassAverageMap) -> dict[str, Any]:
    area, share = strongest_area(average.heat)
    return {
        "label": average.label,
        "right": average.right,
        "n": average.count,
        "of": average.available,
        "unreadable": len(average.rejected),
        "place": area,
        "share": round(share, 4),
    }


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _stored(folder: Path, row: ClassMapRow) -> StoredClassMap:
    # Older versions wrote "centre middle" and "bottom middle".
    area = row.place.replace("centre", "center").replace("middle", "center").replace("center center", "center")
    stem = Path(row.files).name
    picture, photo, heat = (folder / f"{stem}{ending}.png" for ending in ("", "-photo", "-map"))
    return StoredClassMap(
        row.label, row.right, row.n, row.of, row.unreadable, area, row.share, picture=picture, photo=photo, heat=heat
    )


def read_class_maps(folder: Path) -> list[StoredClassMap] | None:
    """Read the class-average maps of a folder; None if there are none yet.

    Raises
    ------
    SneakerError
        They are damaged.
    """
    file = folder / CLASS_MAPS_FILE
    if not file.exists():
        return None
    try:
        return [_stored(folder, row) for row in read_rows(file, ClassMapRow)]
    except DamagedError as error:
        raise SneakerError(f"{error} Create the class-average maps again.") from None
