"""The command line: everything a page does, with the same core calls.

``python -m sneaker_core [--workspace DIR] COMMAND …``. Results go to standard output, what went wrong to standard
error in one line. Exit status: 0 all well, 1 something failed, 2 wrong usage.
"""

import json
import sys
from pathlib import Path

import click

from sneaker_core import __version__
from sneaker_core.commands.class_maps_command import means
from sneaker_core.commands.common import Commands, json_option, print_result
from sneaker_core.commands.dataset_command import dataset
from sneaker_core.commands.evaluate_command import evaluate, evaluations
from sneaker_core.commands.explain_command import explain
from sneaker_core.commands.planning_commands import augment, estimate, rates
from sneaker_core.commands.run_job_command import run_job
from sneaker_core.commands.runs_command import runs
from sneaker_core.commands.search_command import studies, tune
from sneaker_core.commands.train_command import train
from sneaker_core.errors import SneakerError
from sneaker_core.workspace import paths

_MODEL_HELP = "A bundled model's name, a run's name, or a folder."


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="solescope")
@click.option("--workspace", type=click.Path(path_type=Path), help="Folder of datasets and runs.")
@click.pass_context
def main(ctx: click.Context, workspace: Path | None) -> None:
    """Tell what a sneaker is, how sure the machine is, why, and where it goes wrong."""
    ctx.obj = paths.workspace(workspace)


evaluations.add_command(means)
for command in (dataset, train, runs, evaluate, evaluations, estimate, rates, augment, tune, studies, explain, run_job):
    main.add_command(command)


@main.command()
@json_option
@click.pass_obj
def models(workspace: Path, as_json: bool) -> None:
    """List the models there are."""
    from sneaker_core.networks.model_registry import list_models

    entries = [entry.to_dict() for entry in list_models(workspace)]
    lines = [f"{row['name']}  {row['network']}, {len(row['classes'])} classes, top-1 {row['top1']}" for row in entries]
    print_result(entries, as_json, lambda: "\n".join(lines) or "There is no model yet.")


@main.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGE…")
@click.option("--model", "name", default=None, metavar="MODEL", help=_MODEL_HELP)
@click.option("--top", default=3, show_default=True, type=click.IntRange(1, 10), help="How many classes to name.")
@json_option
@click.pass_obj
def predict(workspace: Path, images: tuple[Path, ...], name: str | None, top: int, as_json: bool) -> None:
    """Say what the sneaker on each IMAGE is: a JSON line an image, in order."""
    from sneaker_core.inference.predictor import predict_file
    from sneaker_core.networks.decision import Status
    from sneaker_core.networks.model_registry import DEFAULT_MODEL, open_model

    model = open_model(workspace, name or DEFAULT_MODEL)
    failed = 0
    for image in images:
        answer = predict_file(model, image, top)
        click.echo(json.dumps(answer.to_dict(), ensure_ascii=False))
        failed += answer.status is Status.ERROR
    if failed:
        raise SneakerError(f"{failed} of {len(images)} images could not be read; the others are answered.")


if __name__ == "__main__":
    # Names come in every script; a console that cannot show one must not end the command.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    main(prog_name="python -m sneaker_core")
