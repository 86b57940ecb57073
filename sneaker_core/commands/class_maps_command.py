"""The command `evaluations class-maps`: class-average attribution maps."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sneaker_core.commands.common import json_option, long_work, print_result, shown
from sneaker_core.inference.explanation.explanation_request import CLASS_AVERAGE_PHOTOS, Method
from sneaker_core.workspace.jobs import Worker

if TYPE_CHECKING:
    from sneaker_core.inference.explanation.class_average_maps import ClassAverageMap
    from sneaker_core.inference.explanation.explanation_files import StoredClassMap

_METHODS = click.Choice([method.value for method in Method])
_KINDS = click.Choice(["stored", "bundled", "run"])


@click.command("class-maps")
@click.argument("name", metavar="NAME")
@click.option("--label", "labels", multiple=True, required=True, metavar="LABEL", help="A class; repeatable.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write to.")
@click.option("--method", default=Method.GRADCAM.value, show_default=True, type=_METHODS, help="Attribution method.")
@click.option("--layer", metavar="NAME", help="Layer for Grad-CAM.")
@click.option(
    "--cap", default=CLASS_AVERAGE_PHOTOS, show_default=True, type=click.IntRange(1), help="Maximum photos per map."
)
@click.option("--data", metavar="DATASET", help="Dataset with the photos, if the evaluation doesn't know it.")
@click.option("--kind", type=_KINDS, help="Kind of the evaluation, if several have that name.")
@json_option
@click.pass_obj
def class_maps(workspace: Path, /, name: str, kind: str | None, out: Path, as_json: bool, **options: Any) -> None:
    """Average the attribution maps of each class, over right and over wrong predictions."""
    from sneaker_core.evaluation.evaluation_collection import find_evaluation
    from sneaker_core.evaluation.evaluation_record import Kind
    from sneaker_core.inference.explanation.explanation_files import write_class_maps

    evaluation = find_evaluation(workspace, name, Kind(kind) if kind else None)
    with long_work() as worker:
        worker.report(0, 0, "Loading the model")
        maps = _averages(workspace, evaluation, worker, **options)
        stored = write_class_maps(out, maps)
    print_result([_values(each) for each in stored], as_json, lambda: "\n".join(map(_line, stored)))


# The command's name before it was called class-maps.
means = copy.copy(class_maps)
means.name, means.hidden = "means", True


def _averages(
    workspace: Path,
    evaluation: Any,
    worker: Worker,
    labels: Sequence[str],
    method: str,
    layer: str | None,
    cap: int,
    data: str | None,
) -> "list[ClassAverageMap]":
    from sneaker_core.datasets.dataset_collection import find_dataset
    from sneaker_core.evaluation.evaluation_files import find_model_of, read_table, with_photos
    from sneaker_core.inference.explanation.class_average_maps import class_average_maps
    from sneaker_core.networks.checkpoint import load_model

    table = read_table(evaluation)
    return class_average_maps(
        load_model(find_model_of(workspace, evaluation)),
        table if data is None else with_photos(table, find_dataset(workspace, data)),
        list(dict.fromkeys(labels)),
        Method(method),
        layer,
        cap,
        report=shown(worker),
    )


def _values(stored: "StoredClassMap") -> dict[str, Any]:
    return {**stored.to_dict(), "picture": str(stored.picture) if stored.count else None}


def _line(stored: "StoredClassMap") -> str:
    predicted = "right" if stored.right else "wrong"
    if not stored.count:
        return f"{stored.label}, {predicted} predictions: no photos"
    return f"{stored.picture}: {stored.label}, {stored.count} {predicted} predictions, strongest at the {stored.area}"
