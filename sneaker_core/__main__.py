"""The command line: everything that the pages do, with the same functions.

``python -m sneaker_core [--workspace DIR] COMMAND …``. Results go to standard output, errors to standard error in one
line. Exit status: 0 success, 1 failure, 2 wrong usage.
"""

import sys
from pathlib import Path

import click

from sneaker_core import __version__
from sneaker_core.commands.catalog_command import catalog
from sneaker_core.commands.class_maps_command import class_maps, means
from sneaker_core.commands.common import Commands
from sneaker_core.commands.correct_command import correct
from sneaker_core.commands.dataset_command import dataset
from sneaker_core.commands.evaluate_command import evaluate, evaluations
from sneaker_core.commands.explain_command import explain
from sneaker_core.commands.export_command import export
from sneaker_core.commands.follow_command import clips, follow
from sneaker_core.commands.jobs_command import jobs
from sneaker_core.commands.models_command import models
from sneaker_core.commands.phone_command import phone
from sneaker_core.commands.phone_page_command import phone_page
from sneaker_core.commands.planning_commands import augment, estimate, find_lr, rates
from sneaker_core.commands.predict_command import predict
from sneaker_core.commands.run_job_command import run_job
from sneaker_core.commands.runs_command import runs
from sneaker_core.commands.search_command import search, studies, tune
from sneaker_core.commands.teach_command import forget, teach
from sneaker_core.commands.train_command import train
from sneaker_core.workspace import paths


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="solescope")
@click.option("--workspace", type=click.Path(path_type=Path), help="Folder with your datasets, runs and evaluations.")
@click.pass_context
def main(ctx: click.Context, workspace: Path | None) -> None:
    """Identify sneakers in photos, train and evaluate models, and explain their predictions."""
    ctx.obj = paths.workspace(workspace)


for command in (class_maps, means):
    evaluations.add_command(command)
_COMMANDS = (
    models, predict, dataset, train, teach, forget, correct, runs, evaluate, evaluations, estimate, find_lr, augment,
    search, studies, explain, export, follow, clips, catalog, phone, phone_page, jobs, run_job, rates, tune,
)  # fmt: skip
for command in _COMMANDS:
    main.add_command(command)


if __name__ == "__main__":
    # Names may contain any characters; a console that can't print one must not end the command.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    main(prog_name="python -m sneaker_core")
