"""The files of an evaluation: its prediction table, embeddings and similar training photos, written and read."""

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from msgspec import to_builtins
from numpy.typing import NDArray

from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.synthetic.redrawn_photos import redraw_photos
from sneaker_core.errors import CheckpointError, DatasetError, ModelNotFoundError, SneakerError, SpaceError
from sneaker_core.evaluation.evaluation_record import (
    EVALUATION_FILE,
    FORMAT,
    Evaluation,
)
from sneaker_core.evaluation.photo_uses import USED_FOR, photo_uses
from sneaker_core.evaluation.table_columns import table_damage, with_all_columns, with_current_names
from sneaker_core.records.reading import damaged
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.paths import (
    PREDICTIONS_FILE,
    path_to_text,
)

EMBEDDINGS_FILE = "embeddings.npy"
NEIGHBORS_FILE = "neighbours.parquet"
NEIGHBOR_EMBEDDINGS_FILE = "neighbours.npy"
Halves = NDArray[np.float16]


def read_table(evaluation: Evaluation) -> pd.DataFrame:
    """The prediction table of an evaluation, with all columns of `predictions.prediction_table`.

    If the table has no paths, they are those of the photos in the evaluation's dataset, or else None.

    Raises
    ------
    SneakerError
        It is not finished, or a file is missing or damaged.
    """
    if evaluation.problem is not None:
        raise SneakerError(evaluation.problem)
    file = evaluation.saved_in / PREDICTIONS_FILE
    if not file.is_file():
        raise SneakerError(f"The evaluation {evaluation.name!r} isn't finished yet. Wait until it is.")
    table = with_current_names(read_parquet(file, "Evaluate again."))
    if damage := table_damage(table):
        raise SneakerError(f"{damaged(file, damage)} Evaluate again.")
    table = with_all_columns(table)
    if USED_FOR not in table and evaluation.model_folder is not None:  # written by an earlier version
        table = table.assign(**{USED_FOR: photo_uses(table["sample"], evaluation.model_folder)})
    if evaluation.dataset_folder is not None:
        with contextlib.suppress(DatasetError):  # the dataset may be damaged, but the metrics are not
            table = with_photos(table, Dataset(evaluation.dataset_folder))
    return _with_redrawn_photos(table, evaluation) if evaluation.synthetic is not None else table


def _with_redrawn_photos(table: pd.DataFrame, evaluation: Evaluation) -> pd.DataFrame:
    """The table with the paths of its photos, whose names it holds, drawn again."""
    files: dict[str, Path] = {}
    if evaluation.synthetic is not None and evaluation.workspace is not None:
        plan, names = evaluation.synthetic, table["path"].dropna()
        with contextlib.suppress(DatasetError, SpaceError):  # the metrics need no photos
            files = redraw_photos(evaluation.workspace, names, plan.per_class, plan.seed)
    path = table["path"].map({name: str(file) for name, file in files.items()}).astype(object)
    return table.assign(path=path.where(path.notna(), None))


def read_parquet(file: Path, remedy: str) -> pd.DataFrame:
    """A table that was stored as Parquet.

    Parameters
    ----------
    file : Path
    remedy : str
        What to do if it can't be read, in a sentence.

    Raises
    ------
    SneakerError
        It is damaged.
    """
    import pyarrow

    try:
        return pd.read_parquet(file)
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError, MemoryError, pyarrow.ArrowException):
        raise SneakerError(f"{damaged(file, 'it is no complete Parquet file')} {remedy}") from None


def with_photos(table: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """The table with the paths of its photos in a dataset; other photos keep theirs.

    Raises
    ------
    DatasetError
        The dataset cannot be opened.
    """
    paths = read_samples(dataset).set_index("sample")["path"]
    found = table["sample"].map(paths).astype(object)
    path = found.where(found.notna(), table["path"].astype(object))
    return table.assign(path=path.where(path.notna(), None))


def read_embeddings(evaluation: Evaluation) -> Halves | None:
    """Embeddings of an evaluation's photos, (N, D), memory-mapped; None if none were saved.

    Raises
    ------
    SneakerError
        They are damaged.
    """
    return _read_array(evaluation.saved_in / EMBEDDINGS_FILE)


def read_neighbors(evaluation: Evaluation) -> tuple[pd.DataFrame, Halves] | None:
    """Training photos to find similar ones among: a table of sample, path and label, and their embeddings (M, D).

    Returns
    -------
    tuple or None
        None if none were saved.

    Raises
    ------
    SneakerError
        They are damaged.
    """
    if not evaluation.with_neighbors:
        return None
    folder = evaluation.saved_in
    try:
        table = read_parquet(folder / NEIGHBORS_FILE, "")
        vectors = _read_array(folder / NEIGHBOR_EMBEDDINGS_FILE)
    except SneakerError:
        vectors = None
    columns = {"sample", "path", "label"}
    if (
        vectors is None
        or len(vectors) != len(table)
        or not columns <= set(table)
        or not all(isinstance(value, str) for column in columns for value in table[column].dropna())
    ):
        raise SneakerError(f"The training photos saved in {folder} are damaged. Evaluate again.")
    return table, vectors


def _read_array(file: Path) -> Halves | None:
    if not file.is_file():
        return None
    try:
        array: Halves = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, MemoryError, OverflowError):
        raise SneakerError(f"{damaged(file, 'it is no complete array')} Evaluate again.") from None
    if array.ndim != 2 or array.dtype.kind != "f" or not np.isfinite(array).all():
        raise SneakerError(f"{damaged(file, 'it holds no embeddings')} Evaluate again.")
    return array


def find_model_of(workspace: Path, evaluation: Evaluation) -> Path:
    """The folder of exactly the model that was evaluated, wherever it is now.

    Raises
    ------
    ModelNotFoundError
        It no longer exists, or has been retrained since.
    """
    from sneaker_core.networks.checkpoint import weights_version
    from sneaker_core.networks.model_registry import find_named_model

    places = [] if evaluation.model_folder is None else [evaluation.model_folder]
    with contextlib.suppress(ModelNotFoundError):
        places.append(find_named_model(workspace, evaluation.model))
    for place in places:
        with contextlib.suppress(CheckpointError):
            if weights_version(place) == evaluation.model_version:
                return place
    raise ModelNotFoundError(
        f"The model {evaluation.model!r} no longer exists or has been retrained since. Evaluate it again."
    )


def write_evaluation(
    evaluation: Evaluation,
    table: pd.DataFrame,
    embeddings: NDArray[Any] | None = None,
    neighbors: tuple[pd.DataFrame, NDArray[Any]] | None = None,
) -> None:
    """Save an evaluation in its folder; ``evaluation.json`` is written last, so an incomplete one is recognized.

    Raises
    ------
    SpaceError
        It cannot be written.
    """
    folder = evaluation.saved_in
    try:
        write_atomically(folder / PREDICTIONS_FILE, table.to_parquet(index=False))
        if embeddings is not None:
            write_atomically(folder / EMBEDDINGS_FILE, _array_bytes(embeddings))
        if neighbors is not None:
            write_atomically(folder / NEIGHBORS_FILE, neighbors[0].to_parquet(index=False))
            write_atomically(folder / NEIGHBOR_EMBEDDINGS_FILE, _array_bytes(neighbors[1]))
        write_atomically(folder / EVALUATION_FILE, description_bytes(evaluation))
    except OSError as error:
        reason = f"{error.strerror or error}. Free some disk space and evaluate again."
        raise SpaceError(f"Can't write the evaluation to {folder}: {reason}") from error


def _array_bytes(array: NDArray[Any]) -> bytes:
    import io

    buffer = io.BytesIO()
    np.save(buffer, array.astype(np.float16))
    return buffer.getvalue()


def distributed(evaluation: Evaluation) -> Evaluation:
    """The evaluation as it leaves this computer with its model: without paths, and without embeddings."""
    # Rejected photos are paths on this machine; the model card says how many there were.
    return replace(evaluation, model_folder=None, dataset_folder=None, rejected={}, with_neighbors=False)


def description_bytes(evaluation: Evaluation) -> bytes:
    """The content of an evaluation's ``evaluation.json``."""
    text = json.dumps(_description(evaluation), indent=1, ensure_ascii=False) + "\n"
    return text.encode(errors="replace")


def _description(evaluation: Evaluation) -> dict[str, Any]:
    fields = (
        "model", "model_version", "data", "split", "split_of_data", "created", "n", "rejected", "left_out", "top1",
        "with_neighbors",
    )  # fmt: skip
    places = {key: getattr(evaluation, key) for key in ("model_folder", "dataset_folder")}
    workspace = evaluation.saved_in.parent.parent
    return {
        "format": FORMAT,
        **{key: getattr(evaluation, key) for key in fields},
        **({"renamed": evaluation.renamed} if evaluation.renamed else {}),
        **({"synthetic": to_builtins(evaluation.synthetic)} if evaluation.synthetic else {}),
        **({"worlds": [one.to_dict() for one in evaluation.worlds]} if evaluation.worlds else {}),
        **{key: None if place is None else path_to_text(workspace, place) for key, place in places.items()},
    }
