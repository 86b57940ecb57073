"""``evaluate`` and ``evaluations …``: evaluate models, and show, compare and manage saved evaluations."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sneaker_core.commands.aliases import RenamedOption
from sneaker_core.commands.common import (
    Commands,
    json_option,
    long_work,
    model_or_default,
    pairs,
    print_items,
    print_result,
    shown,
)
from sneaker_core.errors import SneakerError
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.clean_names import clean_name, near_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from sneaker_core.evaluation.comparison import Comparison
    from sneaker_core.evaluation.evaluation_job import EvaluationResult
    from sneaker_core.evaluation.evaluation_record import Evaluation
    from sneaker_core.evaluation.robustness import ChangeMetrics

_NAME = click.argument("name", metavar="NAME")
_FILE = click.Path(path_type=Path, dir_okay=False)
_PAIRS = 5


@click.command()
@click.argument("name", metavar="MODEL")
@click.option(
    "--data",
    required=True,
    multiple=True,
    metavar="[WORLD=]DATA",
    help="A dataset's name, or a folder laid out as <class>/*. Repeat it as WORLD=DATA (shop=…, phone=…) to compare "
    "the worlds that photos come from.",
)
@click.option(
    "--split",
    type=click.Choice(["test", "val", "train", "all"]),
    help="Only photos of the model's split, or of the dataset's split if the model has seen none of the photos. The "
    "default is test, or all if there are no test photos. Photos that the model was trained on or tuned with don't "
    "count, unless there are no others.",
)
@click.option("--out", type=_FILE, help="Also write the prediction table (Parquet).")
@click.option("--report", "report_file", type=_FILE, help="Also write a report (one HTML file).")
@click.option("--name", "kept_as", metavar="NAME", help="Save the evaluation under this name.")
@click.option(
    "--no-neighbors",
    "--no-neighbours",
    cls=RenamedOption,
    is_flag=True,
    help="With --name: don't save embeddings of training photos.",
)
@click.option(
    "--match-names",
    is_flag=True,
    help="Count classes that differ only in case, hyphens, underscores or spaces from one of the model's as that one.",
)
@click.option(
    "--rename",
    "renamed",
    multiple=True,
    metavar="OLD=NEW",
    callback=pairs,
    help="Count the class OLD of the photos as the class NEW of the model; repeat for more.",
)
@click.option("--robustness", is_flag=True, help="Also evaluate changed photos: background, angle, light, quality.")
@click.option("--with-model", is_flag=True, help="Also save it in the model's folder, without photos.")
@json_option
@click.pass_obj
def evaluate(
    workspace: Path,
    name: str,
    data: tuple[str, ...],
    split: str | None,
    out: Path | None,
    report_file: Path | None,
    kept_as: str | None,
    no_neighbors: bool,
    match_names: bool,
    renamed: dict[str, str],
    robustness: bool,
    with_model: bool,
    as_json: bool,
) -> None:
    """Evaluate MODEL on labeled photos.

    Under torchrun the processes share the work.
    """
    from sneaker_core import process_group
    from sneaker_core.evaluation.evaluation_job import keep_with_model
    from sneaker_core.evaluation.shell_evaluation import evaluate_in_shell
    from sneaker_core.networks.model_registry import find_model

    folder = find_model(workspace, model_or_default(name))
    with process_group.joined(), long_work() as worker:
        show_progress = shown(worker)
        result = evaluate_in_shell(
            folder,
            _sources(data),
            workspace,
            split,
            neighbors=not no_neighbors,
            name=kept_as,
            rename=renamed,
            match_names=match_names,
            report=lambda count, total, step: show_progress(count, total, step),
        )
    if not process_group.is_first():
        return
    if with_model:
        keep_with_model(result, folder)
    if out:
        write_atomically(out, result.table.to_parquet(), is_change=False)
    if report_file:
        _write_report(result.evaluation, result.table, report_file)
    changes = _robustness(result, folder) if robustness else []
    worlds = [one.to_dict() for one in result.evaluation.worlds]
    metrics = {**result.metrics, **({"worlds": worlds} if worlds else {})}
    metrics |= {"robustness": [one.to_dict() for one in changes]} if robustness else {}
    metrics |= {"renamed": result.evaluation.renamed, "near_names": _near(metrics, result.table)}
    print_result(metrics, as_json, lambda: _text(result.evaluation, result.table, result.metrics, changes))


def _near(metrics: dict[str, Any], table: "pd.DataFrame") -> dict[str, str]:
    """Classes that were not evaluated -> the class of the model that differs only in spelling."""
    from sneaker_core.evaluation.table_columns import class_columns

    return near_names(metrics["left_out"], class_columns(table))


def _sources(data: tuple[str, ...]) -> str | dict[str, str]:
    """The one source of photos, or several by the name of their world."""
    if len(data) == 1 and ("=" not in data[0] or Path(data[0]).exists()):
        return data[0]
    worlds: dict[str, str] = {}
    for one in data:
        written, equals, source = one.partition("=")
        world = clean_name(written)
        if not equals or not world or not source:
            raise SneakerError(f"--data {one}: with several sources each needs a name, as in --data shop={one}.")
        if world in worlds:
            raise SneakerError(f"--data names the world {world!r} twice. Give each source its own name.")
        worlds[world] = source
    return worlds


def _write_report(evaluation: "Evaluation", table: "pd.DataFrame", file: Path) -> None:
    from sneaker_core.evaluation.html_report import report_html

    write_atomically(file, report_html(evaluation, table).encode(errors="replace"), is_change=False)


def _robustness(result: "EvaluationResult", model_folder: Path) -> "list[ChangeMetrics]":
    """Accuracy on changed photos; saved with the evaluation if that is saved."""
    from sneaker_core.evaluation.changed_photos import robustness_table
    from sneaker_core.evaluation.robustness import robustness_metrics
    from sneaker_core.evaluation.robustness_job import save_robustness
    from sneaker_core.networks.checkpoint import load_model

    table = robustness_table(load_model(model_folder), result.table)
    if result.evaluation.folder is not None:
        save_robustness(result.evaluation, table)
    return robustness_metrics(table)


def _text(
    evaluation: "Evaluation",
    table: "pd.DataFrame",
    metrics: dict[str, Any],
    changes: "Sequence[ChangeMetrics]" = (),
) -> str:
    from sneaker_core.evaluation import metric_text as texts
    from sneaker_core.evaluation.table_columns import class_columns
    from sneaker_core.number_text import counted, percent

    lines = [
        counted(metrics["n"], "photo"),
        *texts.use_lines(metrics),
        *(
            f"{one.title:18} {one.value_text:>6}  (95% interval {one.interval_text})"
            for one in texts.key_metrics(metrics)
        ),
        f"{texts.BASELINE:18} {percent(metrics['majority'], 1):>6}  (always guessing the most common class)",
        f"{'Answered unknown':18} {percent(metrics['refused'], 1):>6}",
        *map(texts.world_text, evaluation.worlds),
        *(f"{one.change.title:18} {one.after.text:>6}  ({one.before.text} before)" for one in changes),
        *map(texts.pair_text, metrics["confusions"][:_PAIRS]),
        *texts.renamed_class_lines(evaluation.renamed),
        *texts.unknown_class_lines(metrics),
        *texts.near_class_lines(metrics, class_columns(table)),
        *(f"could not be read: {path}: {reason}" for path, reason in metrics.get("rejected", {}).items()),
    ]
    return "\n".join(lines)


@click.group(cls=Commands)
def evaluations() -> None:
    """Show, compare and manage saved evaluations."""


@evaluations.command("list")
@json_option
@click.pass_obj
def list_(workspace: Path, as_json: bool) -> None:
    """List all evaluations: saved ones, those bundled with models, and those of training runs."""
    from sneaker_core.evaluation.evaluation_collection import evaluations_of, list_evaluations

    _print_list(list_evaluations(workspace), evaluations_of(workspace).damaged(), as_json, "No evaluations yet.")


def _print_list(found: "list[Evaluation]", damaged: "Mapping[str, str]", as_json: bool, none: str) -> None:
    print_items([one.to_dict() for one in found], damaged, as_json, _line, none)


def _line(row: dict[str, Any]) -> str:
    from sneaker_core.number_text import counted, percent

    kind = f"installed from {row['installed_from']}" if row["installed_from"] else row["kind"]
    about = f"{row['name']}  {kind}: {row['model'] or '?'} on {row['data'] or '?'}"
    if row["split"]:
        about += f", {row['split']}"
    if row["problem"]:
        return f"{about}: {row['problem']}"
    if row["top1"] is None:
        return f"{about}: {row['state']}" if row["n"] == 0 else f"{about}, {counted(row['n'], 'photo')}"
    return f"{about}, {counted(row['n'], 'photo')}, top-1 accuracy {percent(row['top1'], 1)}"


@evaluations.command()
@_NAME
@json_option
@click.pass_obj
def show(workspace: Path, name: str, as_json: bool) -> None:
    """Show the metrics and the most common errors of an evaluation."""
    from sneaker_core.evaluation.metrics import summary
    from sneaker_core.evaluation.worlds import world_metrics

    found, table = _read(name, workspace)
    metrics, worlds = {**summary(table), "rejected": found.rejected}, world_metrics(table)
    values = {**found.to_dict(), **metrics, "worlds": [one.to_dict() for one in worlds]}
    values["near_names"] = _near(metrics, table)
    shown_worlds = replace(found, worlds=tuple(worlds))
    print_result(values, as_json, lambda: f"{_line(found.to_dict())}\n{_text(shown_worlds, table, metrics)}")


def _read(name: str, workspace: Path) -> "tuple[Evaluation, pd.DataFrame]":
    from sneaker_core.evaluation.evaluation_collection import find_evaluation
    from sneaker_core.evaluation.evaluation_files import read_table

    found = find_evaluation(workspace, name)
    return found, read_table(found)


@evaluations.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@json_option
@click.pass_obj
def compare(workspace: Path, first: str, second: str, as_json: bool) -> None:
    """Compare the evaluations A and B on the photos they share."""
    from sneaker_core.evaluation.evaluation_comparison import compare_evaluations

    result = compare_evaluations(workspace, _read(first, workspace), _read(second, workspace))
    print_result({"a": first, "b": second, **result.to_dict()}, as_json, lambda: _compared(result, first, second))


def _compared(result: "Comparison", first: str, second: str) -> str:
    from sneaker_core.evaluation.metric_text import compared_photos_text, key_metrics, verdict
    from sneaker_core.number_text import counted

    pairs = zip(key_metrics(result.metrics_a), key_metrics(result.metrics_b), strict=True)
    fixed, broken = counted(len(result.fixed), "photo"), len(result.broken)
    lines = [
        f"{verdict(result, first, second)}.",
        *(f"{a.title:18} {a.value_text:>6}  {b.value_text:>6}  ({100 * (b.value - a.value):+.1f})" for a, b in pairs),
        f"{second} fixes {fixed} and breaks {broken:,} (McNemar's test, {result.test}).",
        compared_photos_text(result),
    ]
    return "\n".join(lines)


@evaluations.command()
@_NAME
@click.argument("file", metavar="FILE.html", type=_FILE)
@json_option
@click.pass_obj
def report(workspace: Path, name: str, file: Path, as_json: bool) -> None:
    """Write a report of an evaluation (one self-contained HTML file)."""
    _write_report(*_read(name, workspace), file)
    print_result({"name": name, "report": str(file)}, as_json, lambda: f"Wrote the report of {name} to {file}.")


@evaluations.command()
@_NAME
@click.argument("new_name", metavar="NEW")
@json_option
@click.pass_obj
def rename(workspace: Path, name: str, new_name: str, as_json: bool) -> None:
    """Rename a saved evaluation."""
    from sneaker_core.evaluation.evaluation_collection import rename_evaluation

    rename_evaluation(workspace, name, new_name)
    print_result({"name": new_name}, as_json, lambda: f"Renamed {name} to {new_name}.")


@evaluations.command()
@_NAME
@json_option
@click.pass_obj
def delete(workspace: Path, name: str, as_json: bool) -> None:
    """Move a saved evaluation to the bin."""
    from sneaker_core.evaluation.evaluation_collection import delete_evaluation

    delete_evaluation(workspace, name)
    print_result({"name": name}, as_json, lambda: f"Moved {name} to the bin. To undo: evaluations restore {name}")


@evaluations.command()
@click.argument("name", metavar="[NAME]", required=False)
@json_option
@click.pass_obj
def restore(workspace: Path, name: str | None, as_json: bool) -> None:
    """Restore an evaluation from the bin; without NAME, list the bin."""
    from sneaker_core.evaluation.evaluation_collection import evaluations_of, restore_evaluation

    if name is None:
        found = evaluations_of(workspace)
        _print_list(found.deleted(), found.damaged_in_bin(), as_json, "The bin has no evaluations.")
        return
    restored = restore_evaluation(workspace, name)
    print_result({"name": restored.name}, as_json, lambda: f"Restored {restored.name}.")


@evaluations.command()
@_NAME
@json_option
@click.pass_obj
def stop(workspace: Path, name: str, as_json: bool) -> None:
    """Stop an evaluation that runs in the background; nothing is saved."""
    from sneaker_core.evaluation.evaluation_collection import stop_evaluation

    stop_evaluation(workspace, name)
    print_result({"name": name}, as_json, lambda: f"Stopping {name}.")
