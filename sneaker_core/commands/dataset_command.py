"""``dataset …``: bring photos in, see what is there, find what is wrong, decide, split, export."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sneaker_core.commands.common import STOPPED, Commands, json_option, long_work, print_result, shown
from sneaker_core.errors import SneakerError

if TYPE_CHECKING:
    from sneaker_core.datasets.index import Dataset

_NAME = click.argument("name", metavar="NAME")


@click.group(cls=Commands)
def dataset() -> None:
    """Datasets: import, collect, demo, list, stats, scan, findings, review, undo, split, export, rename, delete."""


def _found(name: str, workspace: Path) -> "Dataset":
    from sneaker_core.datasets.dataset_collection import find_dataset

    return find_dataset(workspace, name)


@dataset.command("import")
@click.argument("source", type=click.Path(path_type=Path), metavar="SRC")
@click.option("--name", required=True, help="Name of the dataset; made when there is none.")
@click.option("--as", "shown_name", help="What SRC is called, when its file's name does not say.")
@json_option
@click.pass_obj
def import_(workspace: Path, source: Path, name: str, shown_name: str | None, as_json: bool) -> None:
    """Bring in the photos of SRC, a folder or a zip archive; again adds only what is new.

    Layouts: <class>/*, train|val|test/<class>/*, folders named by SKU with a CSV of sku,name, or one folder with a CSV
    of file,label.
    """
    from sneaker_core.datasets.dataset_collection import find_or_create
    from sneaker_core.datasets.sources.photo_import import check_source, import_photos

    with long_work() as worker:
        check_source(source, shown_name)  # a wrong one must not leave an empty dataset behind
        report = shown(worker)
        result = import_photos(
            find_or_create(workspace, name),
            source,
            name=shown_name,
            report=lambda done, total: report(done, total, "Importing photos"),
        )
    values = {"dataset": name, **result.to_dict()}
    print_result(values, as_json, lambda: _import_words(name, values))


def _import_words(name: str, values: dict[str, Any]) -> str:
    lines = [
        f"{name}: {values['files']} files, {values['added']} new photos, {values['known']} there already, "
        f"{len(values['rejected'])} rejected.",
        *(f"  {file}: {reason}" for file, reason in values["rejected"].items()),
    ]
    return "\n".join([*lines, *([STOPPED] if values["stopped"] else [])])


@dataset.command()
@click.option("--name", default="drawn", show_default=True)
@click.option("--per-class", default=60, show_default=True, type=click.IntRange(4, 500))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@json_option
@click.pass_obj
def demo(workspace: Path, name: str, per_class: int, seed: int, as_json: bool) -> None:
    """Draw a dataset of made-up sneakers, with flaws to find; needs no network."""
    from sneaker_core.datasets.dataset_collection import find_or_create
    from sneaker_core.datasets.synthetic.demo_dataset import make_synthetic

    with long_work() as worker:
        report = shown(worker)
        added = make_synthetic(
            find_or_create(workspace, name),
            per_class,
            seed,
            report=lambda done, total: report(done, total, "Drawing sneakers"),
        )
    values = {"dataset": name, "added": added}
    print_result(values, as_json, lambda: f"{name}: {added} new drawings.")


@dataset.command()
@click.option("--name", required=True, help="Name of the dataset; made when there is none.")
@click.option("--class", "classes", multiple=True, metavar="LABEL", help="A class to collect; once for each.")
@click.option("--skus", type=click.Path(path_type=Path, dir_okay=False), help="CSV of sku,name, or a SKU a line.")
@click.option("--per-class", default=100, show_default=True, type=click.IntRange(1, 1000))
@click.option("--template", "templates", multiple=True, help="A search, with {model} in it; once for each.")
@click.option("--without", "excluded", multiple=True, metavar="WORD", help="A word to search without; once for each.")
@json_option
@click.pass_obj
def collect(
    workspace: Path,
    name: str,
    classes: tuple[str, ...],
    skus: Path | None,
    per_class: int,
    templates: tuple[str, ...],
    excluded: tuple[str, ...],
    as_json: bool,
) -> None:
    """Collect photos from the web, by image search; again collects what is missing."""
    from sneaker_core.datasets.collect.collector import CollectPlan, collect
    from sneaker_core.datasets.collect.search_queries import (
        DEFAULT_EXCLUDED,
        DEFAULT_TEMPLATES,
        CollectClass,
        read_skus,
    )
    from sneaker_core.datasets.dataset_collection import find_or_create

    listed = read_skus(_bytes_of(skus)) if skus else ()
    plan = CollectPlan(
        classes=(*(CollectClass(label, label) for label in classes), *listed),
        per_class=per_class,
        templates=templates or DEFAULT_TEMPLATES,
        excluded=excluded or DEFAULT_EXCLUDED,
    )
    with long_work() as worker:
        report = shown(worker)
        result = collect(
            find_or_create(workspace, name),
            plan,
            report=lambda done, total, note, classes: report(done, total, note, classes=classes),
            stopped=worker.stopped,
        )
    values = {"dataset": name, **result.to_dict()}
    print_result(values, as_json, lambda: "\n".join(_collect_words(values)))


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SneakerError(f"{path} cannot be read: {error.strerror}.") from error


def _collect_words(values: dict[str, Any]) -> list[str]:
    lines = [
        f"{label}: {row['added']} new photos, {row['copies']} there already. {row['message'] or ''}".strip()
        for label, row in values["classes"].items()
    ]
    return [*lines, *([STOPPED] if values["stopped"] else [])]


@dataset.command("list")
@click.option("--bin", "deleted", is_flag=True, help="Those in the bin.")
@json_option
@click.pass_obj
def list_(workspace: Path, deleted: bool, as_json: bool) -> None:
    """List the datasets there are."""
    from sneaker_core.datasets.dataset_collection import list_bin, list_datasets

    rows = [entry.to_dict() for entry in (list_bin if deleted else list_datasets)(workspace)]
    lines = [f"{row['name']}  {row['photos']} photos, {row['classes']} classes" for row in rows]
    print_result(rows, as_json, lambda: "\n".join(lines) or "There is no dataset yet.")


@dataset.command()
@_NAME
@json_option
@click.pass_obj
def stats(workspace: Path, name: str, as_json: bool) -> None:
    """Say how many photos each class has, how even that is, and what was found."""
    from sneaker_core.datasets.class_balance import stats

    values = stats(_found(name, workspace))
    print_result(values, as_json, lambda: "\n".join(_stats_words(values)))


def _stats_words(values: dict[str, Any]) -> list[str]:
    found = {kind.replace("_", " "): count for kind, count in values["findings"].items() if count}
    return [
        f"{values['name']}: {values['photos']} photos, {values['excluded']} excluded, {values['rejects']} rejected",
        *(f"  {label}: {row['total']}" for label, row in values["classes"].items()),
        values["advice"],
        *(f"found: {count} {kind}" for kind, count in found.items()),
        *(["never scanned: see dataset scan"] if values["scan"] is None else []),
    ]


@dataset.command()
@_NAME
@click.option("--no-model", is_flag=True, help="Without the network: quicker, but no wrong labels, outliers and map.")
@click.option("--model", "model_name", default=None, metavar="MODEL", help="The network that looks at the photos.")
@json_option
@click.pass_obj
def scan(workspace: Path, name: str, no_model: bool, model_name: str | None, as_json: bool) -> None:
    """Look for what is wrong: copies, wrong labels, outliers, blurry, dark, small photos and more."""
    from sneaker_core.datasets.class_balance import stats
    from sneaker_core.datasets.quality.scan import scan
    from sneaker_core.networks.model_registry import DEFAULT_MODEL, open_model

    with long_work() as worker:
        found = _found(name, workspace)
        model = None if no_model else open_model(workspace, model_name or DEFAULT_MODEL)
        finished = scan(found, model, report=shown(worker))
        values = stats(found)
    if not finished:
        raise SneakerError(STOPPED)
    print_result(values, as_json, lambda: "\n".join(_stats_words(values)))


@dataset.command()
@_NAME
@click.option("--kind", "kinds", multiple=True, help="Only this kind; once for each.")
@json_option
@click.pass_obj
def findings(workspace: Path, name: str, kinds: tuple[str, ...], as_json: bool) -> None:
    """List what the last scan found and nobody has dismissed."""
    from sneaker_core.datasets.index import read_samples
    from sneaker_core.datasets.quality.findings import Kind, read_findings

    try:
        wanted = [Kind(kind) for kind in kinds] or list(Kind)
    except ValueError:
        raise click.UsageError(f"--kind must be one of: {', '.join(Kind)}.") from None
    found = _found(name, workspace)
    table = read_findings(found)
    table = table[table["kind"].isin(wanted)]
    samples = read_samples(found)[["sample", "path", "label"]]
    rows = table.merge(samples, on="sample").drop(columns="open").astype(object)
    rows = rows.where(rows.notna(), None)
    lines = [f"{row.kind}  {row.path}  {row.label}: {row.advice}" for row in rows.itertuples()]
    print_result(rows.to_dict("records"), as_json, lambda: "\n".join(lines) or "Nothing is found.")


@dataset.command()
@_NAME
@click.argument("action", type=click.Choice(["keep", "relabel", "exclude", "apply-suggestions"]))
@click.argument("samples", nargs=-1, metavar="[PHOTO…]")
@click.option("--label", help="The class to move the photos to, for relabel.")
@json_option
@click.pass_obj
def review(workspace: Path, name: str, action: str, samples: tuple[str, ...], label: str | None, as_json: bool) -> None:
    """Decide on photos of NAME by their ids: keep, relabel, exclude, or apply what the scan suggests."""
    from sneaker_core.datasets.quality.findings import open_kinds
    from sneaker_core.datasets.quality.suggestions import apply_suggestions
    from sneaker_core.datasets.review_log import Action, decide

    found = _found(name, workspace)
    if action == "apply-suggestions":
        batch = apply_suggestions(found, author="command line")
    else:
        kinds = open_kinds(found, samples)
        batch = decide(found, samples, Action(action), label, kinds, author="command line")
    print_result({"batch": batch}, as_json, lambda: f"Done. To take it back: dataset undo {name}")


@dataset.command()
@_NAME
@click.option("--batch", help="From dataset history; the last one when left out.")
@click.option("--decision", type=int, help="A single decision from dataset history.")
@json_option
@click.pass_obj
def undo(workspace: Path, name: str, batch: str | None, decision: int | None, as_json: bool) -> None:
    """Take back decisions on photos."""
    from sneaker_core.datasets.review_log import undo

    count = undo(_found(name, workspace), batch, decision)
    print_result({"photos": count}, as_json, lambda: f"{count} photos stand as before.")


@dataset.command()
@_NAME
@json_option
@click.pass_obj
def history(workspace: Path, name: str, as_json: bool) -> None:
    """List every decision, the newest first."""
    from sneaker_core.datasets.review_log import history

    table = history(_found(name, workspace)).astype(object)
    rows = table.where(table.notna(), None).to_dict("records")
    lines = [
        f"{row['decision']}  {row['sample']}  {row['action']} {row['label'] or ''}" + " (undone)" * bool(row["undone"])
        for row in rows
    ]
    print_result(rows, as_json, lambda: "\n".join(lines) or "Nothing was decided yet.")


@dataset.command()
@_NAME
@click.option("--shares", default="70/15/15", show_default=True, help="Training:test, or training/validation/test.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--check", is_flag=True, help="Only look whether copies sit on different sides of the split there is.")
@json_option
@click.pass_obj
def split(workspace: Path, name: str, shares: str, seed: int, check: bool, as_json: bool) -> None:
    """Split by class and by families of copies, and keep the split."""
    from sneaker_core.datasets.class_balance import balance
    from sneaker_core.datasets.dataset_split import find_leaks, make_split
    from sneaker_core.datasets.index import read_samples
    from sneaker_core.datasets.split import parse_shares

    found = _found(name, workspace)
    if not check:
        make_split(found, *parse_shares(shares), seed)
    counts = balance(read_samples(found)).drop(columns="label").sum().astype(int).to_dict()
    leaks = find_leaks(found)
    values = {"counts": counts, "leaks": leaks.to_dict("records")}
    words = ", ".join(f"{part} {count}" for part, count in counts.items() if count)
    print_result(
        values, as_json, lambda: f"{words}; {leaks['group_id'].nunique()} photos have copies on different sides."
    )


@dataset.command()
@_NAME
@click.option("--format", "kind", default="folder", show_default=True, type=click.Choice(["folder", "zip", "csv"]))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder or file to write.")
@json_option
@click.pass_obj
def export(workspace: Path, name: str, kind: str, out: Path, as_json: bool) -> None:
    """Write the dataset as it stands after review."""
    from sneaker_core.datasets.dataset_export import export_csv, export_folder, export_zip
    from sneaker_core.workspace.atomic_files import write_atomically

    found = _found(name, workspace)
    if kind == "csv":
        try:
            write_atomically(out, export_csv(found))
        except OSError as error:
            raise SneakerError(f"{out} cannot be written: {error.strerror}.") from error
    else:
        (export_folder if kind == "folder" else export_zip)(found, out)
    print_result({"out": str(out)}, as_json, lambda: f"{out} is written.")


@dataset.command()
@_NAME
@click.argument("new_name", metavar="NEW")
@json_option
@click.pass_obj
def rename(workspace: Path, name: str, new_name: str, as_json: bool) -> None:
    """Give a dataset another name."""
    from sneaker_core.datasets.dataset_collection import rename_dataset

    rename_dataset(workspace, _found(name, workspace), new_name)
    print_result({"name": new_name}, as_json, lambda: f"{name} is called {new_name} now.")


@dataset.command()
@_NAME
@json_option
@click.pass_obj
def delete(workspace: Path, name: str, as_json: bool) -> None:
    """Put a dataset in the bin."""
    from sneaker_core.datasets.dataset_collection import delete_dataset

    target = delete_dataset(workspace, _found(name, workspace))
    print_result({"bin": target.name}, as_json, lambda: f"{name} is in the bin: dataset restore {target.name}")


@dataset.command()
@click.argument("name", metavar="NAME")
@json_option
@click.pass_obj
def restore(workspace: Path, name: str, as_json: bool) -> None:
    """Bring a dataset back from the bin."""
    from sneaker_core.datasets.dataset_collection import restore_dataset

    restored = restore_dataset(workspace, name)
    print_result({"name": restored.name}, as_json, lambda: f"{restored.name} is back.")
