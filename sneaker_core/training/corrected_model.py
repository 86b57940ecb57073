"""A model that was retrained with a user's corrections, and what that changed, measured on photos it was not shown.

The original photos of a model are often not there: those of the bundled model don't ship. So a copy of the model keeps
its network, and only the last layer is trained: toward the corrections, and held to what the model answered before for
its references and for as many of its original training photos as the datasets of the workspace hold.
"""

import contextlib
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.datasets.corrections import CORRECTIONS, find_corrections
from sneaker_core.datasets.dataset_collection import list_datasets
from sneaker_core.datasets.dataset_split import group_numbers
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.split import Split, read_split, write_split
from sneaker_core.errors import DatasetError, SneakerError
from sneaker_core.evaluation.comparison import mcnemar
from sneaker_core.evaluation.evaluation_collection import list_evaluations, own_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.metric_text import gain_sentence
from sneaker_core.evaluation.photo_uses import photo_uses
from sneaker_core.networks.checkpoint import SneakerModel, load_model, save_model
from sneaker_core.networks.decision import Floats, unit_length
from sneaker_core.networks.imprinting import head_outputs, mean_length
from sneaker_core.networks.model_registry import find_model
from sneaker_core.number_text import counted
from sneaker_core.training.run_collection import runs_of, write_note
from sneaker_core.training.run_record import FORMAT
from sneaker_core.workspace.atomic_files import write_json
from sneaker_core.workspace.jobs import Worker
from sneaker_core.workspace.paths import RUN_FILE, run_model_folder, runs_folder
from sneaker_core.workspace.read_only import check_changeable

# Fewer corrections that were kept out say nothing.
FEWEST_MEASURED = 5
# One group of near-duplicates in so many is kept out of the training, and one reference.
_KEPT_OUT, _KEPT_OUT_REFERENCES = 4, 3
_MOST_PER_CLASS, _MOST_TESTED = 10, 400

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Change:
    """How many answers are right before and after.

    Attributes
    ----------
    photos, before, after : int
    p_value : float
        Of McNemar's test.
    """

    photos: int
    before: int
    after: int
    p_value: float

    def sentence(self, what: str, more: str = "") -> str:
        """The change in words; `what` names the photos in the singular, `more` says which."""
        photos = counted(self.photos, what) + more
        return gain_sentence(photos, self.before / self.photos, self.after / self.photos, self.p_value)


@dataclass(frozen=True)
class Correction:
    """A model that was retrained with corrections, and what that changed.

    Attributes
    ----------
    model, base : str
        Names of the new model and of the one it is a copy of.
    folder : Path
        Of the new model.
    trained : int
        Corrections that it was trained on.
    kept_out : Change
        Corrections that it was not trained on, nor on near-duplicates of them.
    tested : Change
        Test photos of the base model, as far as they are there.
    references : Change
        References that were kept out: whether the answer is that of before.
    unknown : dict of str to int
        Classes that the model doesn't know -> corrections, which were left out.
    """

    model: str
    base: str
    folder: Path
    trained: int
    kept_out: Change
    tested: Change
    references: Change
    unknown: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        changes = {name: vars(getattr(self, name)) for name in ("kept_out", "tested", "references")}
        return {**vars(self), "folder": str(self.folder), **changes, "text": " ".join(self.sentences())}

    def sentences(self) -> list[str]:
        """What was done and what it changed."""
        lines = [f"{self.model}: the last layer of {self.base}, trained on {counted(self.trained, 'correction')}."]
        if self.kept_out.photos >= FEWEST_MEASURED:
            lines.append(self.kept_out.sentence("correction", " that were kept out"))
        else:
            number = counted(self.kept_out.photos, "correction") if self.kept_out.photos else "no correction"
            lines.append(
                f"What it gained can't be measured with so few: {number} could be kept out of the training, and "
                f"{FEWEST_MEASURED} are the least."
            )
        if self.tested.photos:
            lines.append(self.tested.sentence("test photo"))
        else:
            same, of = self.references.after, self.references.photos
            lines.append(
                f"The test photos of {self.base} aren't on this computer. Of the {of} references of its training "
                f"photos that were kept out, {same} get the same answer as before."
            )
        if self.unknown:
            names = ", ".join(f"{label} ({count})" for label, count in self.unknown.items())
            lines.append(
                f"Left out, since {self.base} doesn't know these sneakers: {names}. Teach it those by example."
            )
        return lines


def correct_model(
    workspace: Path,
    model: str,
    new_name: str | None = None,
    progress: Progress = lambda done, total, step: None,
) -> Correction:
    """Retrain a copy of a model with the user's corrections.

    Parameters
    ----------
    workspace : Path
    model : str
        As for `find_model`; it is not changed.
    new_name : str, optional
        Name of the copy; by default a free one.
    progress : callable
        Called with the number of photos done, their total and the step.

    Raises
    ------
    DatasetError
        There are no corrections of sneakers that the model knows.
    RunError
        The copy can't have that name.
    ModelNotFoundError, CheckpointError
        The model can't be read.
    ReadOnlyError
        SoleScope was started read-only.
    """
    check_changeable()
    dataset = find_corrections(workspace)
    if dataset is None:
        raise DatasetError("There are no corrections yet. Identify a photo, and say what it is if the model is wrong.")
    folder = find_model(workspace, model)
    base = load_model(folder)
    photos, unknown = _corrections(dataset, base, folder)
    name = new_name or runs_of(workspace).free_name(f"{base.spec.name} corrected")
    runs_of(workspace).check_name(name)
    shown, labels, rows = _embedded(base, photos, progress, "Looking at the corrections")
    is_trained = ~rows["kept_out"].to_numpy()
    originals, _, _ = _embedded(base, _originals(workspace, folder, base), progress, "Looking at original photos")
    tested = _without_trained(_test_photos(workspace, folder, base), rows[is_trained])
    tests, truth, _ = _embedded(base, tested, progress, "Looking at test photos")
    references = base.references * mean_length(shown)
    left = np.arange(len(references)) % _KEPT_OUT_REFERENCES == _KEPT_OUT_REFERENCES - 1
    after = _trained(base, shown[is_trained], labels[is_trained], np.concatenate([references[~left], originals]))
    after = replace(after, spec=replace(after.spec, name=name, recipe={**after.spec.recipe, "init": base.spec.name}))
    _write(workspace, after, folder, dataset, rows, base.spec.name)
    done = Correction(
        name,
        base.spec.name,
        runs_folder(workspace),
        int(is_trained.sum()),
        _change(base, after, shown[~is_trained], labels[~is_trained]),
        _change(base, after, tests, truth),
        _change(base, after, references[left], _answers(base, references[left])),
        unknown,
    )
    done = replace(done, folder=find_model(workspace, name))
    write_note(workspace, name, " ".join(done.sentences()))
    return done


def _corrections(dataset: Dataset, model: SneakerModel, folder: Path) -> tuple[pd.DataFrame, dict[str, int]]:
    """Corrections of sneakers that a model knows, with those to keep out, and the classes of the others."""
    from sneaker_core.datasets.quality.near_duplicate_groups import find_near_duplicate_groups

    find_near_duplicate_groups(dataset)
    samples = read_samples(dataset)
    samples = samples[~samples["excluded"]]
    is_known = samples["label"].isin(model.spec.classes)
    unknown = {str(label): int(count) for label, count in samples.loc[~is_known, "label"].value_counts().items()}
    known = samples[is_known].copy()
    if known.empty:
        raise DatasetError(
            f"None of your corrections shows a sneaker that {model.spec.name} knows, so there is nothing to train it "
            "on. Teach it new sneakers by example instead."
        )
    groups = group_numbers(dataset, known)
    # By content, so that a photo that was kept out once is kept out again.
    drawn = known["sample"].groupby(groups).transform(lambda one: int(min(one), 16) % _KEPT_OUT == 0)
    is_used = (photo_uses(known["sample"], folder) == Split.TRAIN.value).groupby(groups).transform("any")
    known["kept_out"] = drawn.astype(bool) & ~is_used
    if known["kept_out"].all():
        known["kept_out"] = False
    return known[["sample", "path", "label", "kept_out"]].reset_index(drop=True), unknown


def _originals(workspace: Path, folder: Path, model: SneakerModel) -> pd.DataFrame:
    """Training photos of a model that datasets of the workspace hold; a few of each class."""
    try:
        split = read_split(folder)
    except DatasetError:
        return pd.DataFrame(columns=["sample", "path", "label"])
    wanted = split[(split["split"] == Split.TRAIN.value) & split["label"].isin(model.spec.classes)]
    found = [_held(Dataset(entry.folder)) for entry in list_datasets(workspace) if entry.name != CORRECTIONS]
    there = pd.concat([pd.DataFrame(columns=["sample", "path", "label"]), *found])
    photos = wanted[["sample", "label"]].merge(there, on=["sample", "label"]).drop_duplicates("sample")
    return photos.sort_values("sample").groupby("label").head(_MOST_PER_CLASS).reset_index(drop=True)


def _held(dataset: Dataset) -> pd.DataFrame:
    try:
        samples = read_samples(dataset)
    except DatasetError:  # a damaged dataset is said to be so on its page
        return pd.DataFrame(columns=["sample", "path", "label"])
    return samples.loc[~samples["excluded"], ["sample", "path", "label"]]


def _test_photos(workspace: Path, folder: Path, model: SneakerModel) -> pd.DataFrame:
    """Test photos of a model, as far as they are on this computer or can be drawn again."""
    bundled = folder.parent.parent != runs_folder(workspace)
    evaluation = own_evaluation(folder, bundled)
    if evaluation is None:
        return pd.DataFrame(columns=["sample", "path", "label"])
    # That of a run is listed with the dataset that holds its photos.
    listed = [one for one in list_evaluations(workspace) if one.folder == evaluation.folder]
    evaluation = listed[0] if listed and not bundled else evaluation
    try:
        table = read_table(replace(evaluation, workspace=workspace))
    except SneakerError:
        return pd.DataFrame(columns=["sample", "path", "label"])
    there = table[table["path"].notna() & table["label"].isin(model.spec.classes)]
    return _existing(there)[["sample", "path", "label"]].sort_values("sample").head(_MOST_TESTED).reset_index(drop=True)


def _existing(photos: pd.DataFrame) -> pd.DataFrame:
    """The photos whose files are there."""
    return photos[photos["path"].map(lambda path: Path(str(path)).is_file()).astype(bool)].reset_index(drop=True)


def _without_trained(photos: pd.DataFrame, trained: pd.DataFrame) -> pd.DataFrame:
    """The photos that the model is not trained on now: a mistake on a test photo may have become a correction."""
    return photos[~photos["sample"].isin(trained["sample"])].reset_index(drop=True)


def _embedded(
    model: SneakerModel, photos: pd.DataFrame, progress: Progress, step: str
) -> tuple[Floats, NDArray[np.int64], pd.DataFrame]:
    """Embeddings and class numbers of the photos that can be read, and their rows."""
    from sneaker_core.evaluation.prediction_table import read_outputs

    photos = _existing(photos)
    if photos.empty:
        return np.zeros((0, model.references.shape[1]), np.float32), np.zeros(0, np.int64), photos
    outputs, rejected = read_outputs(model, list(photos["path"]), lambda done: progress(done, len(photos), step))
    rows = photos[~photos["path"].isin(rejected)].reset_index(drop=True)
    numbers = [model.spec.classes.index(label) for label in rows["label"]]
    return outputs.embeddings, np.array(numbers, dtype=np.int64), rows


def _trained(model: SneakerModel, corrections: Floats, labels: NDArray[np.int64], memory: Floats) -> SneakerModel:
    from sneaker_core.training.corrected_head import corrected_model

    # A corrected photo must not be refused for being unlike all others.
    references = np.concatenate([model.references, unit_length(corrections)])
    return corrected_model(model, corrections, labels, memory, references)


def _answers(model: SneakerModel, embeddings: Floats) -> NDArray[np.int64]:
    return np.asarray(head_outputs(model, embeddings).logits.argmax(1), dtype=np.int64)


def _change(before: SneakerModel, after: SneakerModel, embeddings: Floats, truth: NDArray[np.int64]) -> Change:
    if not len(embeddings):
        return Change(0, 0, 0, 1.0)
    was, now = (_answers(model, embeddings) == truth for model in (before, after))
    p_value, _ = mcnemar(int((~was & now).sum()), int((was & ~now).sum()))
    return Change(len(truth), int(was.sum()), int(now.sum()), p_value)


def _write(workspace: Path, model: SneakerModel, source: Path, dataset: Dataset, rows: pd.DataFrame, base: str) -> None:
    """Make the item of the new model; `split.csv` says what it has used, its base's photos included."""
    folder = runs_of(workspace).create(model.spec.name)
    try:
        parts = rows["kept_out"].map({True: Split.TEST.value, False: Split.TRAIN.value})
        split = rows.assign(split=parts)[["sample", "label", "split"]]
        with contextlib.suppress(DatasetError):  # or it is not known what the base has used
            split = pd.concat([read_split(source), split]).drop_duplicates(["sample", "label"], keep="last")
        write_split(run_model_folder(folder), split)
        save_model(model, run_model_folder(folder))
        about = {"dataset": dataset.name, "source": dataset.folder.name, "taught_from": base}
        write_json(folder / RUN_FILE, {"format": FORMAT, "state": "done", "created": time.time(), **about}, indent=1)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def run_correct_model_job(workspace: Path, params: Mapping[str, Any], worker: Worker) -> None:
    """Retrain a model with the corrections; params: dataset, model, name."""
    done = correct_model(workspace, params["model"], params.get("name"), worker.report)
    worker.result = {"correction": " ".join(done.sentences()), "model": done.model}
    for line in done.sentences():
        worker.log(line)
