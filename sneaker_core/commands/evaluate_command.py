"""``evaluate`` and ``evaluations …``: how good a model is, where it goes wrong, and which of two is better."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sneaker_core.commands.common import Commands, json_option, long_work, print_result, shown
from sneaker_core.errors import StoppedError
from sneaker_core.workspace import paths

if TYPE_CHECKING:
    import pandas as pd

    from sneaker_core.evaluation.comparison import Comparison
    from sneaker_core.evaluation.evaluation_collection import Evaluation

_NAME = click.argument("name", metavar="NAME")
_FILE = click.Path(path_type=Path, dir_okay=False)
_PAIRS = 5
_FIGURES = ("top1", "top3", "balanced_accuracy", "macro_f1", "ece")


@click.command()
@click.argument("name", metavar="MODEL")
@click.option("--data", required=True, help="A dataset's name, or a folder laid out as <class>/*.")
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test"]),
    help="Only the photos that served the model as that; of photos that it never saw, those of the dataset's split.",
)
@click.option("--out", type=_FILE, help="Also write the prediction table (Parquet).")
@click.option("--report", "report_file", type=_FILE, help="Also write a report to read: one HTML file.")
@click.option("--name", "kept_as", metavar="NAME", help="Keep the evaluation by this name.")
@click.option("--no-neighbours", is_flag=True, help="With --name: keep no embeddings of training photos.")
@click.option("--with-model", is_flag=True, help="Keep it in the model's folder too, without photos.")
@json_option
@click.pass_obj
def evaluate(
    workspace: Path,
    name: str,
    data: str,
    split: str | None,
    out: Path | None,
    report_file: Path | None,
    kept_as: str | None,
    no_neighbours: bool,
    with_model: bool,
    as_json: bool,
) -> None:
    """Measure MODEL on labelled photos; under torchrun several processes share the photos."""
    from sneaker_core import process_group
    from sneaker_core.evaluation.evaluation_job import evaluate, keep_with_model
    from sneaker_core.networks.model_registry import find_model

    folder = find_model(name, workspace)
    with process_group.joined(), long_work() as worker:
        told = shown(worker)
        try:
            done = evaluate(
                folder,
                data,
                workspace,
                split,
                neighbours=not no_neighbours,
                name=kept_as,
                report=lambda count, total, step: told(count, total, step),
                stopped=worker.stopped,
            )
        except StoppedError as error:
            # A job that was asked to stop has not failed.
            click.echo(str(error), err=True)
            return
        worker.result = {"evaluation": kept_as, "n": done.figures["n"], "top1": done.figures["top1"]}
    if not process_group.is_first():
        return
    if with_model:
        keep_with_model(done, folder)
    if out:
        paths.write_atomically(out, done.table.to_parquet())
    if report_file:
        _write_report(done.evaluation, done.table, report_file)
    print_result(done.figures, as_json, lambda: _words(done.figures))


def _write_report(evaluation: "Evaluation", table: "pd.DataFrame", file: Path) -> None:
    from sneaker_core.evaluation.html_report import report_html

    paths.write_atomically(file, report_html(evaluation, table).encode(errors="replace"))


def _words(figures: dict[str, Any]) -> str:
    from sneaker_core.evaluation.figure_text import left_out, pair

    intervals = figures["intervals"]
    lines = [
        f"{figures['n']} photos",
        *(
            f"{key:17} {figures[key]:.3f}  ({intervals[key][0]:.3f} to {intervals[key][1]:.3f} in 95 of 100 samples)"
            for key in _FIGURES
        ),
        *(f"{key:17} {figures[key]:.3f}" for key in ("majority", "refused")),
        *map(pair, figures["confusions"][:_PAIRS]),
        *left_out(figures),
        *(f"could not be read: {path}: {why}" for path, why in figures.get("rejected", {}).items()),
    ]
    return "\n".join(lines)


@click.group(cls=Commands)
def evaluations() -> None:
    """Kept evaluations: list, show, compare, report, means, rename, delete, restore, stop."""


@evaluations.command("list")
@json_option
@click.pass_obj
def list_(workspace: Path, as_json: bool) -> None:
    """List the evaluations there are: kept ones, those that come with models, and those of runs."""
    from sneaker_core.evaluation.evaluation_collection import list_evaluations

    _print_list(list_evaluations(workspace), as_json, "There is no evaluation yet.")


def _print_list(found: "list[Evaluation]", as_json: bool, none: str) -> None:
    rows = [one.to_dict() for one in found]
    print_result(rows, as_json, lambda: "\n".join(map(_line, rows)) or none)


def _line(row: dict[str, Any]) -> str:
    about = f"{row['name']}  {row['kind']}: {row['model'] or '?'} on {row['data'] or '?'}"
    if row["split"]:
        about += f", {row['split']}"
    if row["problem"]:
        return f"{about}: {row['problem']}"
    return f"{about}: {row['state']}" if row["top1"] is None else f"{about}, {row['n']} photos, top-1 {row['top1']:.3f}"


@evaluations.command()
@_NAME
@json_option
@click.pass_obj
def show(workspace: Path, name: str, as_json: bool) -> None:
    """Say how good the model is by an evaluation, and where it goes wrong."""
    from sneaker_core.evaluation.metrics import summary

    found, table = _read(name, workspace)
    figures = {**summary(table), "rejected": found.rejected}
    print_result({**found.to_dict(), **figures}, as_json, lambda: f"{_line(found.to_dict())}\n{_words(figures)}")


def _read(name: str, workspace: Path) -> "tuple[Evaluation, pd.DataFrame]":
    from sneaker_core.evaluation.evaluation_collection import find_evaluation, read_table

    found = find_evaluation(name, workspace)
    return found, read_table(found)


@evaluations.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@json_option
@click.pass_obj
def compare(workspace: Path, first: str, second: str, as_json: bool) -> None:
    """Compare the evaluations A and B on the photos that both judged."""
    from sneaker_core.evaluation.comparison import compare

    result = compare(_read(first, workspace)[1], _read(second, workspace)[1])
    print_result({"a": first, "b": second, **result.to_dict()}, as_json, lambda: _compared(result, first, second))


def _compared(result: "Comparison", first: str, second: str) -> str:
    from sneaker_core.evaluation.figure_text import not_shared, verdict

    a, b = result.figures_a, result.figures_b
    lines = [
        verdict(result, first, second),
        *(f"{key:17} {a[key]:.3f}  {b[key]:.3f}  ({b[key] - a[key]:+.3f})" for key in _FIGURES),
        f"{second} fixes {len(result.fixed)} photos and breaks {len(result.broken)} (McNemar's test, {result.test}).",
        not_shared(result),
    ]
    return "\n".join(line for line in lines if line)


@evaluations.command()
@_NAME
@click.argument("file", metavar="FILE.html", type=_FILE)
@json_option
@click.pass_obj
def report(workspace: Path, name: str, file: Path, as_json: bool) -> None:
    """Write an evaluation as one HTML file that opens anywhere."""
    _write_report(*_read(name, workspace), file)
    print_result({"name": name, "report": str(file)}, as_json, lambda: f"{file}: the report of {name}")


@evaluations.command()
@_NAME
@click.argument("new_name", metavar="NEW")
@json_option
@click.pass_obj
def rename(workspace: Path, name: str, new_name: str, as_json: bool) -> None:
    """Give a kept evaluation another name."""
    from sneaker_core.evaluation.evaluation_collection import rename_evaluation

    rename_evaluation(name, new_name, workspace)
    print_result({"name": new_name}, as_json, lambda: f"{name} is called {new_name} now.")


@evaluations.command()
@_NAME
@json_option
@click.pass_obj
def delete(workspace: Path, name: str, as_json: bool) -> None:
    """Put a kept evaluation in the bin."""
    from sneaker_core.evaluation.evaluation_collection import delete_evaluation

    delete_evaluation(name, workspace)
    print_result({"name": name}, as_json, lambda: f"{name} is in the bin: evaluations restore {name}")


@evaluations.command()
@click.argument("name", metavar="[NAME]", required=False)
@json_option
@click.pass_obj
def restore(workspace: Path, name: str | None, as_json: bool) -> None:
    """Bring an evaluation back from the bin; without a NAME, list what is there."""
    from sneaker_core.evaluation.evaluation_collection import deleted_evaluations, restore_evaluation

    if name is None:
        _print_list(deleted_evaluations(workspace), as_json, "The bin holds no evaluation.")
        return
    restored = restore_evaluation(name, workspace)
    print_result({"name": restored.name}, as_json, lambda: f"{restored.name} is back.")


@evaluations.command()
@_NAME
@json_option
@click.pass_obj
def stop(workspace: Path, name: str, as_json: bool) -> None:
    """Ask an evaluation in the background to stop; nothing of it is kept."""
    from sneaker_core.evaluation.evaluation_collection import stop_evaluation

    stop_evaluation(name, workspace)
    print_result({"name": name}, as_json, lambda: f"{name} will stop.")
