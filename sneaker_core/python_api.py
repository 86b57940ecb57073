"""The Python interface: a few calls that cover what the pages and the command line do.

Heavy libraries load on the first call, so importing this module is quick.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sneaker_core.networks.bundled_models import DEFAULT_MODEL

if TYPE_CHECKING:
    from sneaker_core.datasets.index import Dataset
    from sneaker_core.evaluation.evaluation_job import EvaluationResult
    from sneaker_core.inference.explanation.explain_photos import Explanation
    from sneaker_core.inference.export.export_model import Export
    from sneaker_core.inference.predictor import Answer
    from sneaker_core.inference.same_sneaker import SameSneakerAnswer
    from sneaker_core.networks.checkpoint import SneakerModel


class Model:
    """A trained model, ready to answer. Get one from `load_model` or `train`.

    Attributes
    ----------
    folder : Path
        The model's files.
    workspace : Path
        Where `evaluate` looks datasets up.
    """

    def __init__(self, folder: Path, workspace: Path) -> None:
        self.folder, self.workspace = folder, workspace

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.spec.name

    @property
    def classes(self) -> tuple[str, ...]:
        """The sneakers that the model knows."""
        return self._model.spec.classes

    @property
    def _model(self) -> "SneakerModel":
        from sneaker_core.inference.model_service import shared_models

        return shared_models().load(self.folder)

    def predict(self, photo: str | Path, top: int = 3) -> "Answer":
        """Say which sneaker a photo shows.

        Parameters
        ----------
        photo : str or Path
            JPEG, PNG, WebP, GIF, BMP, AVIF or HEIC file.
        top : int
            How many classes to name, 1 to 10.

        Returns
        -------
        Answer
            `status` ("known", "unsure" or "unknown"), `top` (class and probability, most probable first) and
            `sentence()`, the answer in words.

        Raises
        ------
        ImageError
            The file can't be read as a photo.
        """
        from sneaker_core.errors import ImageError
        from sneaker_core.inference.predictor import predict_file

        answer = predict_file(self._model, Path(photo), top)
        if answer.error is not None:
            raise ImageError(answer.error)
        return answer

    def predict_same(self, photos: Sequence[str | Path], top: int = 3) -> "SameSneakerAnswer":
        """Say which sneaker several photos show that are all of the same one; see `predict_same`."""
        from sneaker_core.errors import ImageError
        from sneaker_core.inference.same_sneaker import predict_same_files

        if not photos:
            raise ImageError("There are no photos.")
        found = predict_same_files(self._model, [Path(photo) for photo in photos], top)
        if found.answer.error is not None:
            raise ImageError(found.answer.sentence())
        return found

    def explain(
        self, photo: str | Path, *, target: str | None = None, versus: str | None = None, method: str = "gradcam"
    ) -> "Explanation":
        """Show what in a photo speaks for a class; see `explain`."""
        from sneaker_core.inference.explanation.explain_photos import explain_file
        from sneaker_core.inference.explanation.explanation_request import ExplanationRequest, checked_method

        request = ExplanationRequest(target, versus, checked_method(method))
        return explain_file(self._model, Path(photo), request)

    def evaluate(
        self,
        data: str | Path,
        *,
        split: str | None = None,
        rename: Mapping[str, str] | None = None,
        match_names: bool = False,
    ) -> "EvaluationResult":
        """Measure the model on labeled photos; see `evaluate`."""
        from sneaker_core.evaluation.shell_evaluation import evaluate_in_shell

        return evaluate_in_shell(self.folder, data, self.workspace, split, rename=rename, match_names=match_names)

    def export(self, file: str | Path, format: str = "onnx") -> "Export":
        """Write the model to an ONNX file, "onnx" or the smaller "onnx-int8"; refused if its answers disagree."""
        from sneaker_core.inference.export.export_formats import checked_format
        from sneaker_core.inference.export.export_model import export_model

        return export_model(self.workspace, self.folder, Path(file), checked_format(format))

    def __repr__(self) -> str:
        return f"Model({str(self.folder)!r})"


def load_model(name: str | Path = DEFAULT_MODEL, *, workspace: str | Path | None = None) -> Model:
    """Open a model.

    Parameters
    ----------
    name : str or Path
        A bundled model, a run, a folder that holds a model, or an ONNX file.
    workspace : str or Path, optional
        Folder with your runs; ``SOLESCOPE_WORKSPACE`` or ``data/workspace`` by default.

    Raises
    ------
    ModelNotFoundError
        There is no such model; the message lists the available ones.
    CheckpointError
        The model's files are damaged.

    Examples
    --------
    >>> import sneaker_core as sc
    >>> sc.load_model().predict("photo.jpg").top[0].label  # doctest: +SKIP
    'Air Jordan 1'
    """
    from sneaker_core.networks.checkpoint import read_spec
    from sneaker_core.networks.model_registry import find_model

    place = _workspace(workspace)
    folder = find_model(place, str(name))
    read_spec(folder)
    return Model(folder, place)


def predict_same(
    photos: Sequence[str | Path],
    *,
    model: str | Path | Model = DEFAULT_MODEL,
    top: int = 3,
    workspace: str | Path | None = None,
) -> "SameSneakerAnswer":
    """Say which sneaker several photos show that are all of the same one.

    Parameters
    ----------
    photos : sequence of str or Path
        Photo files. Copies of a photo count once; photos without a shoe and files that can't be read are left out.
    model : str, Path or Model
        A `Model`, or what `load_model` takes.
    top : int
        How many classes to name, 1 to 10.
    workspace : str or Path, optional
        As for `load_model`.

    Returns
    -------
    SameSneakerAnswer
        `answer`, as that to one photo; `photos`, the answer to each alone; `agreement()` and `left_out()`, how far they
        agree and which don't count, in words; `disagree`, whether they probably don't show the same sneaker.

    Raises
    ------
    ImageError
        None of the files can be read as a photo.
    """
    opened = model if isinstance(model, Model) else load_model(model, workspace=workspace)
    return opened.predict_same(photos, top)


def open_dataset(name: str, *, workspace: str | Path | None = None) -> "Dataset":
    """Open a dataset by its name.

    Returns
    -------
    Dataset
        `sneaker_core.datasets.index.read_samples` gives its photos as a table.

    Raises
    ------
    DatasetError
        There is no such dataset; the message lists the available ones.
    """
    from sneaker_core.datasets.dataset_collection import find_dataset

    return find_dataset(_workspace(workspace), name)


def train(
    dataset: str | Path,
    recipe: str = "finetune",
    *,
    name: str | None = None,
    workspace: str | Path | None = None,
    **changes: Any,
) -> Model:
    """Train a model and wait for it.

    Parameters
    ----------
    dataset : str or Path
        A dataset's name, or a folder with one subfolder of photos per class.
    recipe : {"quick", "finetune", "scratch"}
    name : str, optional
        Name of the run and its model; chosen from the dataset and the recipe by default.
    workspace : str or Path, optional
        As for `load_model`.
    **changes
        Fields of `sneaker_core.training.recipe.Recipe` to change, such as ``epochs=5``.

    Raises
    ------
    DatasetError, RecipeError, RunError
        The photos, a setting or the name can't be used.
    StoppedError
        It was stopped, for example on the Train page, before it had a model.
    SpaceError
        The disk is full.
    """
    from sneaker_core.errors import StoppedError
    from sneaker_core.training.pretrained_weights import network_of
    from sneaker_core.training.recipe import make_recipe
    from sneaker_core.training.run_collection import open_run_folder
    from sneaker_core.training.train_model import default_run_name
    from sneaker_core.training.train_model import train as train_in
    from sneaker_core.training.training_jobs import source_of, training_params
    from sneaker_core.workspace.jobs import working
    from sneaker_core.workspace.paths import run_job_folder, run_model_folder

    place = _workspace(workspace)
    if "init" in changes and "network" not in changes:
        changes["network"] = network_of(str(changes["init"]), place)
    chosen = make_recipe(recipe, changes)
    source, _ = source_of(place, str(dataset))
    name = default_run_name(place, str(dataset), recipe) if name is None else name
    folder = open_run_folder(place, name)
    params = training_params(place, folder.name, source, chosen.to_dict())
    # As a job, so that the app shows it and can stop it.
    with working(run_job_folder(folder), "train", params, title=f"Training {name}", workspace=place) as worker:
        if not train_in(str(dataset), chosen, folder, place, worker=worker):
            raise StoppedError(f"The run {name!r} was stopped before it had a model.")
    return Model(run_model_folder(folder), place)


def teach(
    sneaker: str,
    photos: Sequence[str | Path],
    *,
    model: str = DEFAULT_MODEL,
    name: str | None = None,
    workspace: str | Path | None = None,
) -> Model:
    """Teach a copy of a model a new sneaker by example, without training.

    Parameters
    ----------
    sneaker : str
        Its name. Photos of a sneaker that was taught before are added to those from then.
    photos : sequence of str or Path
        3 to 10 photo files are recommended, at most 50 are accepted.
    model : str
        What `load_model` takes.
    name : str, optional
        Name of the copy; not needed to teach a taught model more.
    workspace : str or Path, optional
        As for `load_model`.

    Raises
    ------
    DatasetError, RunError
        The photos or a name can't be used.
    ModelNotFoundError, CheckpointError, DamagedError
        There is no such model, or it is damaged.
    """
    from sneaker_core.training.teaching import teach as teach_model

    place = _workspace(workspace)
    done = teach_model(place, {sneaker: [Path(photo) for photo in photos]}, model, new_name=name)
    return Model(done.folder, place)


def evaluate(
    model: str | Path | Model,
    data: str | Path,
    *,
    split: str | None = None,
    rename: Mapping[str, str] | None = None,
    match_names: bool = False,
    workspace: str | Path | None = None,
) -> "EvaluationResult":
    """Measure a model on labeled photos.

    Parameters
    ----------
    model : str, Path or Model
        A `Model`, or what `load_model` takes.
    data : str or Path
        A dataset's name, or a folder with one subfolder of photos per class.
    split : {"train", "val", "test"}, optional
        Only the photos that the model used as that split.
    rename : mapping of str to str, optional
        Class of the photos -> class of the model that it counts as.
    match_names : bool
        Whether classes that differ only in case, hyphens, underscores or spaces from one of the model's count as it.
    workspace : str or Path, optional
        As for `load_model`.

    Returns
    -------
    EvaluationResult
        `metrics` ("top1", "top3", "ece", "macro_f1", "per_class" …, accuracies from 0 to 1) and `table`, one row per
        photo.

    Raises
    ------
    ModelNotFoundError, CheckpointError, DatasetError
        The model or the photos can't be used.
    """
    opened = model if isinstance(model, Model) else load_model(model, workspace=workspace)
    return opened.evaluate(data, split=split, rename=rename, match_names=match_names)


def explain(
    model: str | Path | Model,
    photo: str | Path,
    *,
    target: str | None = None,
    versus: str | None = None,
    method: str = "gradcam",
    workspace: str | Path | None = None,
) -> "Explanation":
    """Show what in a photo speaks for a class.

    Parameters
    ----------
    model : str, Path or Model
        A `Model`, or what `load_model` takes.
    photo : str or Path
    target : str, optional
        The class to explain; the most probable one by default.
    versus : str, optional
        A class to compare with: what speaks for the target rather than for this one.
    method : {"gradcam", "guided_gradcam", "integrated_gradients", "occlusion"}
    workspace : str or Path, optional
        As for `load_model`.

    Returns
    -------
    Explanation
        `heat`, the map: float32 (H, W) from 0 to 1; `overlay()`, the photo with the map on top; `png()`, the same as
        the bytes of a PNG file; `caption`, where the map is strongest, in a sentence.

    Raises
    ------
    ImageError
        The file can't be read as a photo.
    UnknownLabelError
        The model has no such class.
    """
    opened = model if isinstance(model, Model) else load_model(model, workspace=workspace)
    return opened.explain(photo, target=target, versus=versus, method=method)


def _workspace(folder: str | Path | None) -> Path:
    from sneaker_core.workspace.paths import workspace

    return workspace(folder)
