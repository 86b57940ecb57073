"""``dataset findings|review|merge-classes|undo|history|worth``: what the scan found, and the decisions on photos."""

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sneaker_core.commands.common import dataset_argument, found_dataset, json_option, print_result
from sneaker_core.number_text import counted

if TYPE_CHECKING:
    import pandas as pd

    from sneaker_core.training.decisions_worth import Worth


@click.command()
@dataset_argument
@click.option("--kind", "kinds", multiple=True, help="Only findings of this kind; repeat for more.")
@json_option
@click.pass_obj
def findings(workspace: Path, name: str, kinds: tuple[str, ...], as_json: bool) -> None:
    """List the open findings of the last scan."""
    from sneaker_core.datasets.index import read_samples
    from sneaker_core.datasets.quality.findings import Kind, read_findings

    try:
        wanted = [Kind(kind) for kind in kinds] or list(Kind)
    except ValueError:
        raise click.UsageError(f"--kind must be one of: {', '.join(Kind)}.") from None
    found = found_dataset(workspace, name)
    table = read_findings(found)
    table = table[table["kind"].isin(wanted)]
    samples = read_samples(found)[["sample", "path", "label"]]
    rows = table.merge(samples, on="sample").drop(columns="open").astype(object)
    rows = rows.where(rows.notna(), None)
    lines = [f"{row.kind}  {row.path}  {row.label}: {row.advice}" for row in rows.itertuples()]
    print_result(rows.to_dict("records"), as_json, lambda: "\n".join(lines) or "No open findings.")


@click.command()
@dataset_argument
@click.argument("action", type=click.Choice(["keep", "relabel", "exclude", "apply-suggestions"]))
@click.argument("samples", nargs=-1, metavar="[PHOTO…]")
@click.option("--label", help="The new class, for relabel.")
@json_option
@click.pass_obj
def review(workspace: Path, name: str, action: str, samples: tuple[str, ...], label: str | None, as_json: bool) -> None:
    """Keep, relabel or exclude photos of NAME by their ids, or apply all safe suggestions."""
    from sneaker_core.datasets.quality.findings import open_kinds
    from sneaker_core.datasets.quality.suggestions import apply_suggestions
    from sneaker_core.datasets.review_log import Action, decide

    found = found_dataset(workspace, name)
    if action == "apply-suggestions":
        batch = apply_suggestions(found, author="command line")
    else:
        kinds = open_kinds(found, samples)
        batch = decide(found, samples, Action(action), label, kinds, author="command line")
    print_result({"batch": batch}, as_json, lambda: f"Done. To undo: dataset undo {name}")


@click.command("merge-classes")
@dataset_argument
@click.argument("labels", nargs=-1, metavar="[LABEL…]")
@click.option("--into", metavar="LABEL", help="The name that the classes get.")
@click.option("--all", "every", is_flag=True, help="Merge all that look alike, under the name with the most photos.")
@click.option("--keep-apart", is_flag=True, help="The classes are different: don't list them again.")
@json_option
@click.pass_obj
def merge_classes(
    workspace: Path,
    name: str,
    labels: tuple[str, ...],
    into: str | None,
    every: bool,
    keep_apart: bool,
    as_json: bool,
) -> None:
    """List the classes of NAME that differ only in spelling, or merge classes.

    Merging is a decision that dataset undo takes back.
    """
    from sneaker_core.datasets.quality import class_spellings as spellings

    if sum([into is not None, every, keep_apart]) > 1 or bool(labels) != (into is not None or keep_apart):
        raise click.UsageError("Give classes with --into or --keep-apart, or --all, or nothing to list them.")
    found, batch = found_dataset(workspace, name), None
    if keep_apart:
        spellings.keep_apart(found, labels)
    elif every:
        batch = spellings.merge_spellings(found, "command line")
    elif into is not None:
        batch = spellings.merge_classes(found, labels, into, "command line")
    left = spellings.class_spellings(found)
    lines = [*([f"Done. To undo: dataset undo {name}"] if batch else []), *(one.question for one in left)]
    values = {"batch": batch, "spellings": [one.to_dict() for one in left]}
    print_result(values, as_json, lambda: "\n".join(lines) or "No classes differ only in spelling.")


@click.command()
@dataset_argument
@click.option("--batch", help="From dataset history; by default the last one.")
@click.option("--decision", type=int, help="A single decision from dataset history.")
@json_option
@click.pass_obj
def undo(workspace: Path, name: str, batch: str | None, decision: int | None, as_json: bool) -> None:
    """Undo decisions on photos."""
    from sneaker_core.datasets.review_log import undo

    count = undo(found_dataset(workspace, name), batch, decision)
    print_result({"photos": count}, as_json, lambda: f"Undone: {counted(count, 'photo')}.")


@click.command()
@dataset_argument
@json_option
@click.pass_obj
def history(workspace: Path, name: str, as_json: bool) -> None:
    """List all decisions, newest first, by batch."""
    from sneaker_core.datasets.review_log import history

    decisions = history(found_dataset(workspace, name))
    table = decisions.astype(object)
    rows = table.where(table.notna(), None).to_dict("records")
    print_result(rows, as_json, lambda: "\n".join(_history_words(decisions)) or "No decisions yet.")


@click.command()
@dataset_argument
@json_option
@click.pass_obj
def worth(workspace: Path, name: str, as_json: bool) -> None:
    """Measure what the decisions on NAME are worth: accuracy without and with them, on photos that they don't touch."""
    from sneaker_core.training.decisions_worth import dataset_worth

    measured, _ = dataset_worth(found_dataset(workspace, name))
    print_result(measured.to_dict(), as_json, lambda: _worth_words(measured, name))


def _worth_words(measured: "Worth", name: str) -> str:
    from sneaker_core.training.decisions_worth import WorthState

    if measured.state is WorthState.NOT_CHECKED:
        return f"{measured.sentence} To check them: dataset scan {shlex.quote(name)}"
    if measured.state is WorthState.MEASURED and measured.since is not None:
        day = time.strftime("%d %B %Y", time.localtime(measured.since)).lstrip("0")
        return f"{measured.sentence}\n{measured.explanation(day)}"
    return measured.sentence


def _history_words(decisions: "pd.DataFrame") -> list[str]:
    from sneaker_core.datasets.review_summary import describe_changes, summarize_batch

    lines = []
    for batch, rows in decisions.groupby("batch", sort=False):
        lines.append(f"{batch}: {describe_changes(summarize_batch(rows).changes)}")
        for row in rows.to_dict("records"):
            label = f" {row['label']}" if isinstance(row["label"], str) else ""
            undone = " (undone)" if row["undone"] > 0 else ""  # nan while in force
            lines.append(f"  {row['decision']}  {row['sample']}  {row['action']}{label}{undone}")
    return lines
