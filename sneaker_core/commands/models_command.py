"""The commands ``models``: list the available models, save one as a file, and install one from a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from sneaker_core.commands.common import Commands, json_option, print_result
from sneaker_core.errors import RunError
from sneaker_core.number_text import counted, percent


@click.group(cls=Commands, invoke_without_command=True)
@json_option
@click.pass_context
def models(ctx: click.Context, as_json: bool) -> None:
    """List the available models: bundled ones and those of runs. Or save one as a file, or install one."""
    if ctx.invoked_subcommand is not None:
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
