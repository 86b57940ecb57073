"""``estimate``, ``rates`` and ``augment``: try a recipe before it is trained."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sneaker_core.commands.common import json_option, long_work, print_result
from sneaker_core.commands.recipe_options import recipe_options
from sneaker_core.workspace.atomic_files import write_atomically

if TYPE_CHECKING:
    from sneaker_core.training.planning.lr_finder import LearningRateCurve
    from sneaker_core.training.planning.time_estimate import Estimate
    from sneaker_core.training.recipe import Recipe

_DATASET = click.argument("source", metavar="DATASET")


@click.command()
@_DATASET
@recipe_options
@json_option
@click.pass_obj
def estimate(
    workspace: Path, /, source: str, chosen: "Recipe", recipe_name: str, classes: tuple[str, ...], as_json: bool
) -> None:
    """Say how long a training on DATASET will take on this machine."""
    from sneaker_core.datasets.dataset_collection import open_samples
    from sneaker_core.training.planning.time_estimate import estimate as estimated

    samples = open_samples(workspace, source, classes)
    photos, labels = len(samples), samples["label"].nunique()
    found = estimated(chosen, photos, labels, workspace)
    values = {"dataset": source, "recipe": recipe_name, "photos": photos, "classes": labels, **found.to_dict()}
    print_result(values, as_json, lambda: _estimate_words(found))


def _estimate_words(found: "Estimate") -> str:
    from sneaker_core.training.planning.duration_text import in_words

    lines = [
        in_words(found.total),
        f"  before it begins   {in_words(found.reading)}",
        f"  learning           {in_words(found.learning)}, at {found.speed:.0f} photos a second",
        f"  measuring          {in_words(found.measuring)}",
    ]
    return "\n".join(lines)


@click.command()
@_DATASET
@recipe_options
@click.option("--others", type=click.Path(path_type=Path), help="Folder with photos of anything but sneakers.")
@click.option("--steps", default=80, show_default=True, type=click.IntRange(20, 10_000), help="How many rates to try.")
@json_option
@click.pass_obj
def rates(
    workspace: Path,
    /,
    source: str,
    chosen: "Recipe",
    recipe_name: str,
    classes: tuple[str, ...],
    others: Path | None,
    steps: int,
    as_json: bool,
) -> None:
    """Find a learning rate for DATASET: try growing ones on a few batches."""
    from sneaker_core.training.planning.lr_finder import find_learning_rate

    with long_work() as worker:
        search = find_learning_rate(source, chosen, workspace, worker, classes, others, steps)
    print_result({"dataset": source, "recipe": recipe_name, **search.to_dict()}, as_json, lambda: _rates_words(search))


def _rates_words(search: "LearningRateCurve") -> str:
    lines = [f"{rate:.2e}  loss {loss:.3f}" for rate, loss in zip(search.rates, search.losses, strict=True)]
    if search.suggestion is None:
        return "\n".join([*lines, "The loss did not fall at any rate: try more steps, or look at the photos."])
    return "\n".join([*lines, f"Suggested: --set learning_rate={search.suggestion:.1e}"])


@click.command()
@_DATASET
@recipe_options
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="PNG file to write the pictures to."
)
@click.option("--photos", default=4, show_default=True, type=click.IntRange(1, 50), help="How many photos.")
@click.option("--variants", default=6, show_default=True, type=click.IntRange(1, 50), help="How often each is changed.")
@json_option
@click.pass_obj
def augment(
    workspace: Path,
    /,
    source: str,
    chosen: "Recipe",
    recipe_name: str,
    classes: tuple[str, ...],
    out: Path,
    photos: int,
    variants: int,
    as_json: bool,
) -> None:
    """Show what a training on DATASET does to its photos: each as it is, then changed."""
    from sneaker_core.datasets.dataset_collection import open_samples
    from sneaker_core.training.planning.augmentation_preview import augmented_preview, contact_sheet

    samples = open_samples(workspace, source, classes)
    rows = augmented_preview(samples, chosen, workspace, photos, variants, chosen.seed)
    write_atomically(out, contact_sheet(rows))
    values = {
        "dataset": source, "recipe": recipe_name, "augmentation": chosen.augmentation,
        "photos": len(rows), "variants": variants, "out": str(out),
    }  # fmt: skip
    print_result(values, as_json, lambda: f"{out}: {len(rows)} photos, each with {variants} variants")
