"""Many explanations as files: an archive of pictures, and the mean maps of classes."""

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
from sneaker_core.errors import SneakerError, SpaceError
from sneaker_core.inference.explanation.class_average_maps import MeanMap
from sneaker_core.inference.explanation.explain_photos import Explained
from sneaker_core.inference.explanation.explanation_request import DEFAULT_OPACITY
from sneaker_core.inference.explanation.heat_maps import hottest_place, overlay
from sneaker_core.workspace.atomic_files import write_atomically

TABLE_FILE = "explanations.csv"
MEANS_FILE = "means.json"
_COLUMNS = ("image", "file", "target", "versus", "method", "layer", "error")


class PictureNames:
    """A file's name for each picture; those of one name are numbered."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, image: str | Path) -> str:
        """The name of the picture that explains an image."""
        stem = first = Path(image).stem
        number = 1
        while f"{stem}.png".casefold() in self._taken:
            number += 1
            stem = f"{first}-{number}"
        self._taken.add(f"{stem}.png".casefold())
        return f"{stem}.png"


def write_zip(target: Path, found: Iterable[Explained]) -> tuple[int, dict[str, str]]:
    """Pack pictures as they are made, with a table of them; written whole or not at all.

    Parameters
    ----------
    target : Path
    found : iterable of Explained
        From `files.explain_many`.

    Returns
    -------
    int
        How many pictures.
    dict of str to str
        Image -> why it could not be read.

    Raises
    ------
    SpaceError
        It cannot be written.
    """
    unfinished, names = target.with_name(f".{target.name}.part"), PictureNames()
    rows: list[dict[str, Any]] = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # A PNG is packed already.
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
            for each in found:
                name = None if each.png is None else names.of(each.image)
                if name is not None and each.png is not None:
                    archive.writestr(name, each.png)
                rows.append(_row(each, name))
            archive.writestr(TABLE_FILE, _table(rows))
        unfinished.replace(target)
    except OSError as error:
        raise SpaceError(f"{target} cannot be written: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    failed = {row["image"]: row["error"] for row in rows if row["error"]}
    return len(rows) - len(failed), failed


def _row(found: Explained, name: str | None) -> dict[str, Any]:
    asked = found.question
    values = (found.image, name, asked.target, asked.versus, asked.method.value, asked.layer, found.error)
    return dict(zip(_COLUMNS, values, strict=True))


def _table(rows: Sequence[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    # An archive goes to others: it tells the names of files, not where they lay.
    shown = ({**row, "image": Path(row["image"]).name} for row in rows)
    writer.writerows({key: escape_formula(value) if value else "" for key, value in row.items()} for row in shown)
    return text.getvalue().encode(errors="replace")


@dataclass(frozen=True)
class KeptMean:
    """A mean map on the disk.

    Attributes
    ----------
    label : str
    right : bool
        Whether it is of photos that were answered right.
    n, of : int
        Photos in the mean, and photos there are.
    unreadable : int
        Photos that were drawn and could not be read.
    place : str
        The ninth of the photo that is hottest: "centre left".
    share : float
        That ninth's share of the whole map, 0 to 1.
    picture, photo, heat : Path
        The mean photo with the map over it, the mean photo, and the map in grey (255 is 1). None of them is there where
        `n` is 0.
    """

    label: str
    right: bool
    n: int
    of: int
    unreadable: int
    place: str
    share: float
    picture: Path
    photo: Path
    heat: Path


def write_means(folder: Path, means: Sequence[MeanMap], opacity: float = DEFAULT_OPACITY) -> list[KeptMean]:
    """Keep mean maps in a folder; ``means.json`` comes last, so that a half-written one is told.

    Raises
    ------
    SpaceError
        They cannot be written.
    """
    rows = []
    try:
        for number, mean in enumerate(means):
            stem = f"{number // 2 + 1:02}-{'right' if mean.right else 'wrong'}"
            if mean.n:
                photo = Image.fromarray(mean.picture)
                grey = Image.fromarray((mean.heat.clip(0, 1) * 255).round().astype(np.uint8))
                for ending, picture in (
                    ("", overlay(photo, mean.heat, opacity)), ("-photo", photo), ("-map", grey),
                ):  # fmt: skip
                    write_atomically(folder / f"{stem}{ending}.png", _png(picture))
            place, share = hottest_place(mean.heat)
            told = {"label": mean.label, "right": mean.right, "n": mean.n, "of": mean.of, "place": place}
            rows.append({**told, "unreadable": len(mean.rejected), "share": round(share, 4), "files": stem})
        write_atomically(folder / MEANS_FILE, json.dumps(rows, indent=1, ensure_ascii=False).encode(errors="replace"))
    except OSError as error:
        raise SpaceError(f"The mean maps cannot be written to {folder}: {error.strerror or error}.") from error
    return [_kept(folder, row) for row in rows]


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _kept(folder: Path, row: dict[str, Any]) -> KeptMean:
    told = {key: row[key] for key in ("label", "right", "n", "of", "unreadable", "place", "share")}
    stem = Path(str(row["files"])).name
    picture, photo, heat = (folder / f"{stem}{ending}.png" for ending in ("", "-photo", "-map"))
    return KeptMean(**told, picture=picture, photo=photo, heat=heat)


def read_means(folder: Path) -> list[KeptMean] | None:
    """The mean maps of a folder; None where there are none yet.

    Raises
    ------
    SneakerError
        They are damaged.
    """
    try:
        rows = json.loads((folder / MEANS_FILE).read_text(encoding="utf-8"))
        return [_kept(folder, row) for row in rows]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        raise SneakerError(f"The mean maps in {folder} are damaged; make them again.") from None
