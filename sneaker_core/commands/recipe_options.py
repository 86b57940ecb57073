"""Options that all training commands share: the recipe, classes and negatives."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from sneaker_core.commands.aliases import RenamedOption
from sneaker_core.commands.common import model_or_default, pairs
from sneaker_core.training.recipe_fields import PRESETS

_SETTINGS = (
    click.option("--network", help="Architecture to train."),
    click.option("--init", help="Pretrained weights: imagenet, none, a model, or a weights file."),
    click.option("--epochs", type=int, help="Passes over the training photos."),
    click.option("--size", type=int, help="Photo width and height in pixels."),
    click.option("--batch", type=int, help="Photos per training step."),
    click.option("--seed", type=int, help="Random seed; the same seed gives the same result."),
)


_RECIPE = click.option(
    "--recipe",
    "recipe_name",
    required=True,
    type=click.Choice(PRESETS),
    help="Preset to start from.",
)
settings_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=pairs,
    help="Change any other recipe setting; repeat for several.",
)
class_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--class", "classes", multiple=True, metavar="LABEL", help="Use only this class; repeat for several."
)


negatives_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--negatives",
    "--others",
    "negatives",
    cls=RenamedOption,
    type=click.Path(path_type=Path),
    help="Folder of photos that show no sneaker; those in other_footwear/<type>/ show other footwear, by type.",
)


def _network_of(init: str) -> str | None:
    from sneaker_core.training.pretrained_weights import network_of

    return network_of(model_or_default(init), click.get_current_context().obj)


def recipe_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a recipe to a command, which then takes `recipe`, a Recipe, and `classes`, empty for all.

    An invalid recipe is an error before the command runs.
    """

    @wraps(function)
    def with_recipe(*args: Any, recipe_name: str, settings: dict[str, str], **given: Any) -> None:
        from sneaker_core.training.recipe import make_recipe

        named = {name: given.pop(name) for name in ("network", "init", "epochs", "size", "batch", "seed")}
        changes = {**named, **settings}
        if changes["init"] is not None and changes["network"] is None:
            changes["network"] = _network_of(changes["init"])
        function(*args, recipe=make_recipe(recipe_name, changes), **given)

    command: Callable[..., None] = with_recipe
    for option in reversed((_RECIPE, *_SETTINGS, settings_option, class_option)):
        command = option(command)
    return command
