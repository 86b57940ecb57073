"""The commands ``models``: list and show the available models, save one as a file, and install one from a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sneaker_core.commands.common import Commands, json_option, print_result
from sneaker_core.errors import RunError
from sneaker_core.number_text import counted, percent

if TYPE_CHECKING:
    from sneaker_core.evaluation.model_facts import ModelFacts


class _ModelCommands(Commands):
    """Takes a word that names none of its commands for a model to show."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command to run, and its arguments."""
        is_command = self.get_command(ctx, args[0]) is not None
        return super().resolve_command(ctx, args if is_command else [str(show.name), *args])


@click.group(cls=_ModelCommands, invoke_without_command=True, subcommand_metavar="[MODEL | COMMAND [ARGS]...]")
@json_option
@click.pass_context
def models(ctx: click.Context, as_json: bool) -> None:
    """List the available models, or show one: what its card says, with its figures by world.

    `models MODEL` is short for `models show MODEL`, which also shows a model that is named like a command.
    """
    if ctx.invoked_subcommand is not None:
        # The option may also stand before the command.
        ctx.default_map = {ctx.invoked_subcommand: {"as_json": as_json}}
        return
    from sneaker_core.evaluation.model_facts import described_models

    rows = described_models(ctx.obj)
    print_result(rows, as_json, lambda: "\n".join(map(_line, rows)) or "There are no models yet.")


def _line(row: Mapping[str, Any]) -> str:
    if row["problem"]:
        return f"{row['name']}  {row['problem']}"
    accuracy = "not evaluated" if row["top1"] is None else f"top-1 accuracy {percent(row['top1'], 1)}"
    worlds = "".join(
        f"; {world['world']} {percent(world['top1']['value'], 1)}" for world in row["worlds"] if world["known"]
    )
    return f"{row['name']}  {row['network']}, {len(row['classes'])} classes, {accuracy}{worlds}"


@models.command()
@click.argument("model", metavar="MODEL")
@json_option
@click.pass_obj
def show(workspace: Path, model: str, as_json: bool) -> None:
    """Show MODEL: its classes, groups of look-alikes, thresholds, and figures by world."""
    from sneaker_core.evaluation.model_facts import model_facts

    facts = model_facts(workspace, model, anywhere=True)
    print_result(facts, as_json, lambda: "\n".join(_details(facts)))


def _details(facts: "ModelFacts") -> list[str]:
    from sneaker_core.evaluation.metric_text import world_text
    from sneaker_core.evaluation.worlds import read_world_metrics

    thresholds, size = facts["thresholds"], facts["input"]
    known = f"known from a confidence of {percent(thresholds['confidence'], 1)}"
    unknown = "" if thresholds["ood"] is None else f"; unknown above an OOD score of {thresholds['ood']:.2f}"
    photos = [counts.get(split, 0) for split in ("train", "val", "test") for counts in facts["photos"].values()]
    return [
        *filter(None, [facts["note"]]),
        _line({**facts, "worlds": []}),
        *map(world_text, read_world_metrics(facts["worlds"])),
        *(
            f"{kind.replace('_', ' ')}: {percent(one['found'], 1)} of {counted(one['n'], 'photo')} refused"
            for kind, one in facts["refused"].items()
        ),
        f"answers: {known}{unknown}; input {size['width']} × {size['height']} pixels",
        f"classes: {', '.join(facts['classes'])}",
        *(f"look-alikes: {name} ({', '.join(classes)})" for name, classes in facts["groups"].items()),
        *([f"recipe: {facts['recipe']}, {counted(sum(photos), 'photo')}"] if facts["recipe"] else []),
    ]


@models.command()
@click.argument("model", metavar="MODEL")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Zip file to write.")
@json_option
@click.pass_obj
def pack(workspace: Path, model: str, out: Path, as_json: bool) -> None:
    """Save MODEL as one zip file, to install it elsewhere.

    The file holds the weights, the model card, the evaluation on the test photos and exported files; no photos, no
    paths, and not your note.
    """
    from sneaker_core.training.model_pack import save_pack

    done = save_pack(workspace, model, out)
    text = f"Saved {done.name} to {out}: {counted(len(done.files), 'file')}. To install it: models install {out}"
    print_result({**done.to_dict(), "out": str(out)}, as_json, lambda: "\n".join(filter(None, [text, done.left_out])))


@models.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the model here; by default the one it has in the file.")
@json_option
@click.pass_obj
def install(workspace: Path, file: Path, name: str | None, as_json: bool) -> None:
    """Install the model in FILE, a zip file from `models pack`.

    Everything in the file is checked first. If anything is wrong, nothing is installed.
    """
    from sneaker_core.training.model_install import install_model

    with file.open("rb") as opened:
        try:
            done = install_model(workspace, opened, file.name, name)
        except RunError as error:
            raise RunError(f"{error} To install it under another name, add --name NAME.") from None
    print_result(done.to_dict(), as_json, lambda: f"{done.name}: {done.sentence()}")
