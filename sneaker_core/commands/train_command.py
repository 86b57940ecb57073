"""The command ``train``: train a model in one process or several."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sneaker_core.commands.common import STOPPED, json_option
from sneaker_core.commands.recipe_options import negatives_option, recipe_options
from sneaker_core.errors import SneakerError
from sneaker_core.workspace import paths
from sneaker_core.workspace.jobs import Worker, waiting_turn, working

if TYPE_CHECKING:
    from sneaker_core.training.recipe import Recipe


@click.command()
@click.argument("source", metavar="DATASET")
@recipe_options
@negatives_option
@click.option("--run", "run_name", help="Name of the run and its model.")
@click.option("--resume", is_flag=True, help="Resume this run.")
@click.option("--queue", is_flag=True, help="Wait in the queue until earlier trainings have ended.")
@json_option
@click.pass_obj
def train(
    workspace: Path,
    /,
    source: str,
    recipe: "Recipe",
    classes: tuple[str, ...],
    negatives: Path | None,
    run_name: str | None,
    resume: bool,
    queue: bool,
    as_json: bool,
) -> None:
    """Train a model on DATASET: the name of a dataset, or a folder laid out as <class>/*.

    Under torchrun, several processes on one machine or many train one model together.
    """
    from sneaker_core import process_group
    from sneaker_core.training.train_model import default_run_name, train
    from sneaker_core.training.training_jobs import source_of, training_params
    from sneaker_core.training.training_log import event_text, result_text

    def report(event: str, values: dict[str, Any]) -> None:
        if as_json:
            click.echo(json.dumps({"event": event, **values}))
        elif text := event_text(event, values):
            click.echo(text, err=event == "warning")

    with process_group.joined():
        name = process_group.broadcast(run_name or default_run_name(workspace, source, recipe.name))
        kept, _ = source_of(workspace, source)
        folder = Path(process_group.broadcast(str(_folder(workspace, name, resume))))
        params = training_params(workspace, folder.name, kept, recipe.to_dict(), classes, negatives)
        with _as_job(workspace, folder, name, params, queue) as worker:
            if worker is None:
                return
            metrics = train(
                source,
                recipe,
                folder,
                workspace,
                only=classes,
                negatives=negatives,
                worker=worker,
                report=report,
                resume=resume,
            )
            worker.result = {"run": folder.name}
            if not as_json and process_group.is_first():
                click.echo(result_text(name, metrics))


def _folder(workspace: Path, name: str, resume: bool) -> Path:
    """The folder of the run with a display name, created by one process."""
    from sneaker_core import process_group
    from sneaker_core.training.run_collection import find_run, open_run_folder

    if not process_group.is_first():
        return Path()
    return find_run(workspace, name).folder if resume else open_run_folder(workspace, name)


@contextlib.contextmanager
def _as_job(workspace: Path, folder: Path, name: str, params: dict[str, Any], queue: bool) -> Iterator[Worker | None]:
    """The run's job, so that pages show it and can stop it; None if it was stopped in the queue."""
    from sneaker_core import process_group

    if not process_group.is_first():
        go_on = process_group.broadcast(True)
        yield Worker() if go_on else None
        return
    job, title = paths.run_job_folder(folder), f"Training {name}"
    turn = waiting_turn if queue else _at_once
    try:
        with (
            working(job, "train", params, title=title, workspace=workspace) as worker,
            turn(worker, paths.queue_folder(workspace)) as go_on,
        ):
            yield worker if process_group.broadcast(go_on) else None
    except KeyboardInterrupt:
        raise SneakerError(STOPPED) from None


@contextlib.contextmanager
def _at_once(worker: Worker, queue: Path) -> Iterator[bool]:
    """Trainings started in a shell don't wait in the queue."""
    yield True
