"""The options by which every command is told how to train, and with which classes."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

# In one order for all commands; the first is the last that a decorator adds.
_CHANGES = (
    click.option("--network", help="Which network to train."),
    click.option("--init", help="What it starts from: imagenet, none, a model, or a safetensors file."),
    click.option("--epochs", type=int, help="Passes over the photos."),
    click.option("--size", type=int, help="Pixels that the network sees, a side."),
    click.option("--batch", type=int, help="Photos a step."),
    click.option("--seed", type=int, help="The same seed gives the same run."),
)


def _pairs(ctx: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [setting.partition("=") for setting in given]
    wrong = [name for name, equals, _ in pairs if not equals]
    if wrong:
        ctx.fail(f"--set takes NAME=VALUE, not {wrong[0]!r}.")
    return {name: value for name, _, value in pairs}


_RECIPE = click.option(
    "--recipe",
    "recipe_name",
    required=True,
    type=click.Choice(["quick", "finetune", "scratch"]),
    help="What to start from.",
)
settings_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", callback=_pairs, help="Any other setting of the recipe."
)
_CLASS = click.option(
    "--class", "classes", multiple=True, metavar="LABEL", help="Use only these classes; once for each."
)


def recipe_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a recipe to a command.

    The command gets, by name, `chosen`, the Recipe; `recipe_name`, which one it was made of; and `classes`, the labels
    to use, all when empty. What cannot be used is told before the command begins.
    """

    @wraps(function)
    def with_recipe(*args: Any, recipe_name: str, settings: dict[str, str], **given: Any) -> None:
        from sneaker_core.training.recipe import make_recipe

        changes = {name: given.pop(name) for name in ("network", "init", "epochs", "size", "batch", "seed")}
        chosen = make_recipe(recipe_name, {**changes, **settings})
        function(*args, chosen=chosen, recipe_name=recipe_name, **given)

    command: Callable[..., None] = with_recipe
    for option in reversed((_RECIPE, *_CHANGES, settings_option, _CLASS)):
        command = option(command)
    return command
