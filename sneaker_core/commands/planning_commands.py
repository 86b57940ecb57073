"""The commands ``estimate``, ``find-lr`` and ``augment``: try a recipe before training."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sneaker_core.commands.aliases import hidden_alias
from sneaker_core.commands.common import json_option, long_work, print_result
from sneaker_core.commands.recipe_options import negatives_option, recipe_options
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
def estimate(workspace: Path, /, source: str, recipe: "Recipe", classes: tuple[str, ...], as_json: bool) -> None:
    """Estimate how long a training on DATASET takes on this machine."""
    from sneaker_core.datasets.dataset_collection import open_samples
    from sneaker_core.training.planning.time_estimate import estimate as estimated

    samples = open_samples(workspace, source, classes)
    photos, labels = len(samples), samples["label"].nunique()
    found = estimated(recipe, photos, labels, workspace)
    values = {"dataset": source, "recipe": recipe.name, "photos": photos, "classes": labels, **found.to_dict()}
    print_result(values, as_json, lambda: _estimate_text(found))


def _estimate_text(found: "Estimate") -> str:
    from sneaker_core.training.planning.duration_text import in_words

    lines = [
        in_words(found.total),
        f"  preparing photos   {in_words(found.reading)}",
        f"  training           {in_words(found.learning)}, at {found.speed:.0f} photos per second",
        f"  evaluating         {in_words(found.measuring)}",
    ]
    return "\n".join(lines)


@click.command("find-lr")
@_DATASET
@recipe_options
@negatives_option
@click.option("--steps", default=80, show_default=True, type=click.IntRange(20, 10_000), help="Number of rates to try.")
@json_option
@click.pass_obj
def find_lr(
    workspace: Path,
    /,
    source: str,
    recipe: "Recipe",
    classes: tuple[str, ...],
    negatives: Path | None,
    steps: int,
    as_json: bool,
) -> None:
    """Find a good learning rate for DATASET by trying increasing ones on a few batches."""
    from sneaker_core.training.planning.lr_finder import find_learning_rate
    from sneaker_core.training.planning.lr_finder_job import lr_finder_params
    from sneaker_core.workspace.shell_work import shell_work

    params = lr_finder_params(workspace, source, recipe, classes, negatives)
    with long_work() as worker, shell_work(workspace, "find_lr", params, "Finding a learning rate"):
        search = find_learning_rate(source, recipe, workspace, worker, classes, negatives, steps)
    print_result({"dataset": source, "recipe": recipe.name, **search.to_dict()}, as_json, lambda: _curve_text(search))


def _curve_text(search: "LearningRateCurve") -> str:
    lines = [f"{rate:.2e}  loss {loss:.3f}" for rate, loss in zip(search.rates, search.losses, strict=True)]
    if search.suggestion is None:
        return "\n".join([*lines, "The loss did not fall at any learning rate. Try more steps, or check the photos."])
    return "\n".join([*lines, f"Suggested: --set learning_rate={search.suggestion:.1e}"])


rates = hidden_alias(find_lr, "rates")


@click.command()
@_DATASET
@recipe_options
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="PNG file to write.")
@click.option("--photos", default=4, show_default=True, type=click.IntRange(1, 50), help="Number of photos.")
@click.option(
    "--variants", default=6, show_default=True, type=click.IntRange(1, 50), help="Number of variants of each photo."
)
@json_option
@click.pass_obj
def augment(
    workspace: Path,
    /,
    source: str,
    recipe: "Recipe",
    classes: tuple[str, ...],
    out: Path,
    photos: int,
    variants: int,
    as_json: bool,
) -> None:
    """Preview augmentation: photos of DATASET, each followed by augmented variants."""
    from sneaker_core.datasets.dataset_collection import open_samples
    from sneaker_core.training.planning.augmentation_preview import augmented_preview, contact_sheet

    samples = open_samples(workspace, source, classes)
    rows = augmented_preview(samples, recipe, workspace, photos, variants, recipe.seed)
    write_atomically(out, contact_sheet(rows), is_change=False)
    values = {
        "dataset": source, "recipe": recipe.name, "augmentation": recipe.augmentation,
        "photos": len(rows), "variants": variants, "out": str(out),
    }  # fmt: skip
    print_result(values, as_json, lambda: f"{out}: {len(rows)} photos with {variants} variants each")
