"""Synthetic photos that were not stored, drawn again from their seed into a cache."""

from collections.abc import Iterable
from pathlib import Path

from sneaker_core.datasets.synthetic.sample_plan import generate_photos, photo_names
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.paths import cache_folder


def redraw_photos(workspace: Path, names: Iterable[str], per_class: int, seed: int) -> dict[str, Path]:
    """Draw photos of a synthetic dataset unless an earlier call has; about 30 ms each.

    Parameters
    ----------
    workspace : Path
        Its cache keeps them.
    names : iterable of str
        Names of `SyntheticPhoto`.
    per_class, seed : int
        As given to `generate_photos` when the dataset was made.

    Returns
    -------
    dict of str to Path
        Name -> file. Names that the dataset doesn't have are missing.

    Raises
    ------
    DatasetError
        `per_class` is out of range.
    SpaceError
        A file can't be written.
    """
    folder, known = cache_folder(workspace) / "synthetic" / f"{per_class}-{seed}", photo_names(per_class, seed)
    files = {name: folder / name for name in names if name in known}
    missing = {name for name, file in files.items() if not file.is_file()}
    for photo in generate_photos(per_class, seed, only=missing) if missing else ():
        write_atomically(files[photo.name], photo.data, is_change=False)
    return files
