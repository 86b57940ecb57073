"""``evaluations means``: where a network looks on the whole, class by class."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sneaker_core.commands.common import json_option, long_work, print_result, shown
from sneaker_core.inference.explanation.explanation_request import MEAN_OF, Method

if TYPE_CHECKING:
    from sneaker_core.inference.explanation.explanation_files import KeptMean


@click.command()
@click.argument("name", metavar="NAME")
@click.option("--label", "labels", multiple=True, required=True, metavar="LABEL", help="A class; again for more.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the pictures.")
@click.option(
    "--method", default=Method.GRADCAM.value, show_default=True, type=click.Choice([method.value for method in Method])
)
@click.option("--layer", metavar="NAME", help="Layer that Grad-CAM looks at.")
@click.option(
    "--cap", default=MEAN_OF, show_default=True, type=click.IntRange(1), help="At most so many photos a mean."
)
@click.option("--data", metavar="DATASET", help="Where the photos are, for an evaluation that does not know.")
@click.option(
    "--kind", type=click.Choice(["stored", "bundled", "run"]), help="Which one, where several go by that name."
)
@json_option
@click.pass_obj
def means(
    workspace: Path,
    name: str,
    labels: tuple[str, ...],
    out: Path,
    method: str,
    layer: str | None,
    cap: int,
    data: str | None,
    kind: str | None,
    as_json: bool,
) -> None:
    """Draw where the network looked in photos of a class: the mean over those it got right, and over the others."""
    from sneaker_core.datasets.dataset_collection import find_dataset
    from sneaker_core.evaluation.evaluation_collection import (
        Kind,
        find_evaluation,
        find_model_of,
        read_table,
        with_photos,
    )
    from sneaker_core.inference.explanation.class_average_maps import mean_maps
    from sneaker_core.inference.explanation.explanation_files import write_means
    from sneaker_core.networks.checkpoint import load_model

    evaluation = find_evaluation(workspace, name, Kind(kind) if kind else None)
    with long_work() as worker:
        worker.report(0, 0, "Reading the model")
        table = read_table(evaluation)
        table = table if data is None else with_photos(table, find_dataset(workspace, data))
        found = mean_maps(
            load_model(find_model_of(workspace, evaluation)),
            table,
            list(dict.fromkeys(labels)),
            Method(method),
            layer,
            cap,
            report=shown(worker),
        )
        kept = write_means(out, found)
    rows = [_values(mean) for mean in kept]
    print_result(rows, as_json, lambda: "\n".join(map(_words, kept)))


def _values(mean: "KeptMean") -> dict[str, Any]:
    told = {key: getattr(mean, key) for key in ("label", "right", "n", "of", "unreadable", "place", "share")}
    return {**told, "picture": str(mean.picture) if mean.n else None}


def _words(mean: "KeptMean") -> str:
    answered = "right" if mean.right else "wrong"
    if not mean.n:
        return f"{mean.label}, answered {answered}: no photos"
    return f"{mean.picture}: {mean.label}, {mean.n} photos answered {answered}, looked at {mean.place}"
