"""The commands ``search`` and ``studies``: hyperparameter search and its results."""

import contextlib
import json
import os
import platform
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sneaker_core.commands.aliases import hidden_alias
from sneaker_core.commands.common import STOPPED, Commands, json_option, print_items, print_result
from sneaker_core.commands.recipe_options import class_option, negatives_option, settings_option
from sneaker_core.errors import BusyError, SneakerError
from sneaker_core.training.recipe_fields import PRESETS
from sneaker_core.workspace import paths
from sneaker_core.workspace.references import name_in

if TYPE_CHECKING:
    from sneaker_core.training.study_collection import Study
    from sneaker_core.workspace.jobs import Worker

_NAME = click.argument("name", metavar="NAME")


@click.command()
@click.argument("source", metavar="DATASET")
@click.option("--study", "name", required=True, help="Name of the study; an existing one is joined or resumed.")
@click.option("--recipe", "recipe_name", type=click.Choice(PRESETS), help="Preset to start from.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Time budget.  [default: 30]")
@click.option("--trials", type=click.IntRange(1), help="Stop after this many trials.")
@click.option("--network", "networks", multiple=True, help="Architecture to try; repeat for several.")
@settings_option
@class_option
@negatives_option
@click.option("--trial-epochs", type=click.IntRange(1), help="Epochs per trial; by default a third of a full training.")
@click.option(
    "--trial-size", type=click.IntRange(32), help="Photo size in trials; by default four fifths of a full training's."
)
@click.option("--queue", is_flag=True, help="Wait in the queue until earlier trainings have ended.")
@json_option
@click.pass_obj
def search(
    workspace: Path,
    /,
    source: str,
    name: str,
    recipe_name: str | None,
    settings: dict[str, str],
    classes: tuple[str, ...],
    queue: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Search for the best recipe for DATASET with short trainings, within a time budget.

    Run the same command in another terminal, or on another machine that shares the workspace, to search faster.
    """
    from sneaker_core.training.hyperparameter_search import run_search
    from sneaker_core.training.search_log import trial_text
    from sneaker_core.training.study_collection import open_study_folder
    from sneaker_core.training.study_setup import chosen_recipe
    from sneaker_core.workspace.jobs import waiting_turn

    def report(event: str, values: dict[str, Any]) -> None:
        if as_json and event != "done":
            click.echo(json.dumps({"event": event, **values}))
        elif event == "trial":
            click.echo(trial_text(values))

    folder = open_study_folder(workspace, name)
    with _job(workspace, folder, name, given) as worker:
        turn = waiting_turn(worker, paths.queue_folder(workspace)) if queue else contextlib.nullcontext(True)
        with turn as ours:
            if ours:
                more = {"only": classes, "worker": worker, "report": report, **given}
                recipe = chosen_recipe(workspace, name, recipe_name, settings)
                study = run_search(workspace, source, name, recipe, fixed=settings, **more)
                values = {"event": "done", **study.to_dict(), "full_run": _full_run(study)}
                worker.result = {"best": study.best}
                print_result(values, as_json, lambda: _found(study))


@contextlib.contextmanager
def _job(workspace: Path, folder: Path, name: str, given: dict[str, Any]) -> "Iterator[Worker]":
    """The worker of a search: that of the study's job, or of an additional job if that one is running."""
    from sneaker_core.training.search_jobs import search_params
    from sneaker_core.workspace.jobs import is_alive, working

    own = paths.run_job_folder(folder)
    additional = folder / f"job-{platform.node() or 'machine'}-{os.getpid()}"
    params = search_params(folder.name, given.get("trials"), given.get("minutes"))
    about: dict[str, Any] = {"title": f"Searching {name}", "workspace": workspace}
    with contextlib.ExitStack() as stack:
        if is_alive(own):
            worker = stack.enter_context(working(additional, "search", params, **about))
        else:
            try:
                worker = stack.enter_context(working(own, "search", params, **about))
            except BusyError:  # two processes started at the same moment
                worker = stack.enter_context(working(additional, "search", params, **about))
        try:
            yield worker
        except KeyboardInterrupt:
            raise SneakerError(STOPPED) from None


def _found(study: "Study") -> str:
    from sneaker_core.training.search_log import trial_text

    if study.best is None:
        return f"No trial was completed in {study.minutes:g} minutes. Run the same command again to continue."
    return f"Best of {len(study.trials)} trials: {trial_text(study.best)}\nFull training: {_full_run(study)}"


def _full_run(study: "Study") -> str | None:
    """The command that trains with the best recipe; None if no trial is complete."""
    from sneaker_core.training.search_space import best_recipe

    if study.best is None:
        return None
    recipe = best_recipe(study)
    words = ["python", "-m", "sneaker_core", "train", "--recipe", recipe.name]
    words += [word for key, value in recipe.changes_from_preset().items() for word in ("--set", f"{key}={value}")]
    words += [word for label in study.only for word in ("--class", label)]
    words += [] if study.negatives is None else ["--negatives", study.negatives]
    return shlex.join([*words, "--", name_in(study.source) or study.source])


tune = hidden_alias(search, "tune")


@click.group(cls=Commands)
def studies() -> None:
    """Hyperparameter searches: list, show, stop, delete, restore."""


@studies.command("list")
@json_option
@click.pass_obj
def list_(workspace: Path, as_json: bool) -> None:
    """List all studies, newest first."""
    from sneaker_core.training.study_collection import studies_of

    found = studies_of(workspace)
    _print_studies(found.list(), found.damaged(), as_json, "No studies yet.")


def _print_studies(found: "list[Study]", damaged: Mapping[str, str], as_json: bool, none: str) -> None:
    print_items([study.to_dict() for study in found], damaged, as_json, _line, none)


def _line(row: dict[str, Any]) -> str:
    best = f", best {row['best']['val_top1']:.1%}" if row["best"] else ""
    trials = f"{sum(row['trials'].values())} trials{best}"
    return f"{row['name']}  {row['state']}: {row['recipe_name'] or 'a search'} on {row['dataset'] or '?'}, {trials}"


@studies.command()
@_NAME
@json_option
@click.pass_obj
def show(workspace: Path, name: str, as_json: bool) -> None:
    """Show a study's trials and its best recipe."""
    from sneaker_core.training.search_log import trial_text
    from sneaker_core.training.study_collection import find_study
    from sneaker_core.training.study_trials import plain

    study = find_study(workspace, name)
    rows = [plain(row) for _, row in study.trials.iterrows()]
    values = {**study.to_dict(), "trials": rows, "full_run": _full_run(study)}

    def words() -> str:
        error = [study.error] if study.error else []
        return "\n".join(
            [_line(study.to_dict()), *error, *map(trial_text, rows), *([_found(study)] if study.best else [])]
        )

    print_result(values, as_json, words)


@studies.command()
@_NAME
@json_option
@click.pass_obj
def stop(workspace: Path, name: str, as_json: bool) -> None:
    """Stop all processes of a study; its trials are kept."""
    from sneaker_core.training.study_collection import find_study, stop_study

    stop_study(find_study(workspace, name))
    print_result({"name": name}, as_json, lambda: f"Stopping {name}.")


@studies.command()
@_NAME
@json_option
@click.pass_obj
def delete(workspace: Path, name: str, as_json: bool) -> None:
    """Move a study to the bin."""
    from sneaker_core.training.study_collection import delete_study

    delete_study(workspace, name)
    print_result({"name": name}, as_json, lambda: f"Moved {name} to the bin. To restore it: studies restore {name}")


@studies.command()
@click.argument("name", metavar="[NAME]", required=False)
@json_option
@click.pass_obj
def restore(workspace: Path, name: str | None, as_json: bool) -> None:
    """Restore a study from the bin; without NAME, list the studies in the bin."""
    from sneaker_core.training.study_collection import restore_study, studies_of

    if name is None:
        found = studies_of(workspace)
        _print_studies(found.deleted(), found.damaged_in_bin(), as_json, "No studies in the bin.")
        return
    restored = restore_study(workspace, name)
    print_result({"name": restored.name}, as_json, lambda: f"Restored {restored.name}.")
