"""The command ``runs``: list, show and manage training runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sneaker_core.commands.common import Commands, json_option, print_items, print_result

if TYPE_CHECKING:
    from sneaker_core.training.run_collection import Run

_NAME = click.argument("name", metavar="NAME")


@click.group(cls=Commands)
def runs() -> None:
    """Training runs: list, show, compare, repeat, note, rename, delete, restore, stop, retry."""


@runs.command("list")
@json_option
@click.pass_obj
def list_(workspace: Path, as_json: bool) -> None:
    """List all runs, newest first."""
    from sneaker_core.training.run_collection import runs_of

    found = runs_of(workspace)
    _print_runs(found.list(), found.damaged(), as_json, "No runs yet.")


def _print_runs(found: "list[Run]", damaged: Mapping[str, str], as_json: bool, none: str) -> None:
    print_items([run.to_dict() for run in found], damaged, as_json, _line, none)


def _line(row: dict[str, Any]) -> str:
    figures = "" if row["top1"] is None else f", top-1 {row['top1']:.3f}"
    training = f"{row['recipe_name'] or 'training'} on {row['dataset'] or '?'}"
    how = f"retrained with {row['dataset']}" if row["is_retrained"] else "taught by example"
    what = f"{row['taught_from']}, {how}" if row["taught_from"] else training
    what = f"installed from {row['installed']['file']}" if row["installed"] else what
    return f"{row['name']}  {row['state']}: {what}{figures}"


@runs.command()
@_NAME
@json_option
@click.pass_obj
def show(workspace: Path, name: str, as_json: bool) -> None:
    """Show a run: its recipe, progress and results."""
    from sneaker_core.training.run_collection import find_run
    from sneaker_core.training.run_metrics import read_metrics

    run = find_run(workspace, name)
    metrics = read_metrics(run.folder).drop(columns=["confusions", "favourite", "watched"])
    metrics = metrics.astype(object).where(metrics.notna(), None)
    progress = vars(run.job.progress) if run.job and not run.state.ended else None
    values = {**run.to_dict(), "progress": progress, "epochs": metrics.to_dict("records")}
    print_result(values, as_json, lambda: "\n".join(_details(values)))


def _details(values: dict[str, Any]) -> list[str]:
    progress, epochs = values["progress"], values["epochs"]
    counts = ", ".join(f"{split} {count}" for split, count in values["counts"].items())
    newest = epochs[-1].items() if epochs else ()
    last = [f"{key} {value:.4g}" for key, value in newest if isinstance(value, (int, float))]
    return [
        _line(values),
        *([f"{progress['step']}  {progress['done']}/{progress['total']}"] if progress else []),
        *([f"photos: {counts}"] if counts else []),
        *(["last epoch: " + ", ".join(last)] if last else []),
        *([f"trained for {values['seconds']:.0f} s"] if values["seconds"] else []),
        *([values["error"]] if values["error"] else []),
        *([f"note: {values['note']}"] if values["note"] else []),
    ]


@runs.command()
@_NAME
@click.option("--with", "before", metavar="RUN", help="The run to compare it with; by default the one before it.")
@json_option
@click.pass_obj
def compare(workspace: Path, name: str, before: str | None, as_json: bool) -> None:
    """Say what a run gained over the run before it, on the same photos that neither of them has used."""
    from sneaker_core.training.run_collection import find_run
    from sneaker_core.training.run_gains import gain_of

    gain = gain_of(workspace, find_run(workspace, name), None if before is None else find_run(workspace, before))
    print_result(gain.to_dict(), as_json, lambda: f"{gain.after} compared with {gain.before}: {gain.text()}")


@runs.command()
@_NAME
@click.option("--run", "new_name", metavar="NEW", help="Name of the new run.")
@json_option
@click.pass_obj
def repeat(workspace: Path, name: str, new_name: str | None, as_json: bool) -> None:
    """Train a run once more in the background, with the same settings on its photos as they are now."""
    from sneaker_core.training.run_collection import find_run_by_id
    from sneaker_core.training.training_jobs import repeat_training

    new = find_run_by_id(workspace, repeat_training(workspace, name, new_name).name).name
    print_result({"name": new, "repeats": name}, as_json, lambda: f"Started {new}. To follow it: runs show {new}")


@runs.command()
@_NAME
@click.argument("text", metavar="TEXT")
@json_option
@click.pass_obj
def note(workspace: Path, name: str, text: str, as_json: bool) -> None:
    """Write a note on a run; an empty one deletes it."""
    from sneaker_core.training.run_collection import write_note

    write_note(workspace, name, text)
    print_result({"name": name, "note": text.strip()}, as_json, lambda: "Saved the note.")


@runs.command()
@_NAME
@click.argument("new_name", metavar="NEW")
@json_option
@click.pass_obj
def rename(workspace: Path, name: str, new_name: str, as_json: bool) -> None:
    """Rename a run and its model."""
    from sneaker_core.training.run_collection import rename_run

    rename_run(workspace, name, new_name)
    print_result({"name": new_name}, as_json, lambda: f"Renamed {name} to {new_name}.")


@runs.command()
@_NAME
@json_option
@click.pass_obj
def delete(workspace: Path, name: str, as_json: bool) -> None:
    """Move a run to the bin."""
    from sneaker_core.training.run_collection import delete_run

    delete_run(workspace, name)
    print_result({"name": name}, as_json, lambda: f"Moved {name} to the bin. To restore it: runs restore {name}")


@runs.command()
@click.argument("name", metavar="[NAME]", required=False)
@json_option
@click.pass_obj
def restore(workspace: Path, name: str | None, as_json: bool) -> None:
    """Restore a run from the bin; without NAME, list the runs in the bin."""
    from sneaker_core.training.run_collection import restore_run, runs_of

    if name is None:
        found = runs_of(workspace)
        _print_runs(found.deleted(), found.damaged_in_bin(), as_json, "No runs in the bin.")
        return
    restored = restore_run(workspace, name)
    print_result({"name": restored.name}, as_json, lambda: f"Restored {restored.name}.")


@runs.command()
@_NAME
@json_option
@click.pass_obj
def stop(workspace: Path, name: str, as_json: bool) -> None:
    """Stop a run; the best model so far is kept."""
    from sneaker_core.training.training_jobs import stop_training

    stop_training(workspace, name)
    print_result({"name": name}, as_json, lambda: f"Stopping {name}. To resume it: runs retry {name}")


@runs.command()
@_NAME
@json_option
@click.pass_obj
def retry(workspace: Path, name: str, as_json: bool) -> None:
    """Resume a stopped, failed or interrupted run in the background."""
    from sneaker_core.training.training_jobs import resume_training

    resume_training(workspace, name)
    print_result({"name": name}, as_json, lambda: f"Resumed {name}. To follow it: runs show {name}")
