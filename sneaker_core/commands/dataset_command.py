"""``dataset …``: import, collect, check, review, split and export photos."""

from pathlib import Path
from typing import Any

import click

from sneaker_core.commands.common import (
    STOPPED,
    Commands,
    dataset_argument,
    found_dataset,
    json_option,
    long_work,
    model_or_default,
    print_items,
    print_result,
    shown,
)
from sneaker_core.commands.dataset_review_command import findings, history, merge_classes, review, undo, worth
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted


@click.group(cls=Commands)
def dataset() -> None:
    """Import, collect, check, review, split and export photos."""


for _command in (findings, review, merge_classes, undo, history, worth):
    dataset.add_command(_command)


@dataset.command("import")
@click.argument("source", type=click.Path(path_type=Path), metavar="SRC")
@click.option("--name", required=True, help="Name of the dataset; created if it doesn't exist.")
@click.option("--as", "shown_name", help="Original name of SRC, if its file name differs.")
@click.option("--world", help="What the photos are like, such as shop or phone: figures are also given by world.")
@click.option(
    "--layout",
    type=click.Choice(["auto", "table", "classes", "splits", "nested"]),
    default="auto",
    show_default=True,
    help="Read the folders as classes, as splits, or as nested names (Brand/Model); or only what tables say.",
)
@click.option("--preview", is_flag=True, help="Only say how SRC would be read, and import nothing.")
@json_option
@click.pass_obj
def import_(
    workspace: Path,
    source: Path,
    name: str,
    shown_name: str | None,
    world: str | None,
    layout: str,
    preview: bool,
    as_json: bool,
) -> None:
    """Import the photos of SRC, a folder or zip archive.

    Importing again adds only new photos. Layouts: <class>/*, train|val|test/<class>/*, <brand>/<model>/*, folders named
    by SKU with a CSV table of sku,name, or CSV tables of file,label.
    """
    from sneaker_core.datasets.dataset_collection import find_or_create
    from sneaker_core.datasets.sources.folder_layout import LayoutKind
    from sneaker_core.datasets.sources.photo_import import import_photos, preview_source

    kind = LayoutKind(layout)
    with long_work() as worker:
        read = preview_source(source, shown_name, kind)  # an unsupported source must not leave an empty dataset behind
        if preview:
            print_result(read.to_dict(), as_json, lambda: "\n".join(_preview_words(read.to_dict())))
            return
        report = shown(worker)
        result = import_photos(
            find_or_create(workspace, name),
            source,
            name=shown_name,
            world=world,
            layout=kind,
            report=lambda done, total: report(done, total, "Importing photos"),
        )
    values = {"dataset": name, **result.to_dict()}
    print_result(values, as_json, lambda: _import_words(name, values))


def _preview_words(values: dict[str, Any]) -> list[str]:
    return [
        values["sentence"],
        *values["notes"],
        *(f"  {label}: {counted(count, 'file')}" for label, count in sorted(values["classes"].items())),
        *(f"  {file}: {reason}" for file, reason in values["rejected"].items()),
    ]


def _import_words(name: str, values: dict[str, Any]) -> str:
    lines = [
        *([" ".join([values["understood"], *values["notes"]])] if values["understood"] else []),
        f"{name}: {values['files']:,} files, {values['added']:,} new photos, {values['known']:,} already known, "
        f"{len(values['rejected']):,} rejected.",
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
    """Generate a synthetic dataset with planted flaws; works offline."""
    from sneaker_core.datasets.dataset_collection import find_or_create
    from sneaker_core.datasets.synthetic.demo_dataset import make_synthetic

    with long_work() as worker:
        report = shown(worker)
        added = make_synthetic(
            find_or_create(workspace, name),
            per_class,
            seed,
            report=lambda done, total: report(done, total, "Generating photos"),
        )
    values = {"dataset": name, "added": added}
    print_result(values, as_json, lambda: f"{name}: {added:,} new photos.")


@dataset.command()
@click.option("--name", required=True, help="Name of the dataset; created if it doesn't exist.")
@click.option("--class", "classes", multiple=True, metavar="LABEL", help="A class to collect; repeat for more.")
@click.option(
    "--skus",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file of sku,name, or a text file with one SKU per line.",
)
@click.option("--per-class", default=100, show_default=True, type=click.IntRange(1, 1000))
@click.option("--template", "templates", multiple=True, help="A search query with {model} in it; repeat for more.")
@click.option(
    "--without", "excluded", multiple=True, metavar="WORD", help="A word that results must not have; repeat for more."
)
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
    """Collect photos from the web by image search; running it again collects what is missing."""
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
        raise SneakerError(f"Can't read {path}: {error.strerror}.") from error


def _collect_words(values: dict[str, Any]) -> list[str]:
    lines = [
        f"{label}: {row['added']:,} new photos, {row['known']:,} already known. {row['message'] or ''}".strip()
        for label, row in values["classes"].items()
    ]
    return [*lines, *([STOPPED] if values["stopped"] else [])]


@dataset.command("list")
@click.option("--bin", "deleted", is_flag=True, help="List deleted datasets.")
@json_option
@click.pass_obj
def list_(workspace: Path, deleted: bool, as_json: bool) -> None:
    """List the datasets."""
    from sneaker_core.datasets.dataset_collection import datasets_of

    found = datasets_of(workspace)
    rows = [entry.to_dict() for entry in (found.deleted() if deleted else found.list())]
    damaged = found.damaged_in_bin() if deleted else found.damaged()
    none = "The bin is empty." if deleted else "No datasets yet."
    print_items(rows, damaged, as_json, _entry_line, none, ("id", "name", "folder", "photos", "classes"))


def _entry_line(row: dict[str, Any]) -> str:
    return f"{row['name']}  {counted(row['photos'], 'photo')}, {counted(row['classes'], 'class', 'classes')}"


@dataset.command()
@dataset_argument
@json_option
@click.pass_obj
def stats(workspace: Path, name: str, as_json: bool) -> None:
    """Show photos per class, their balance, and a summary of the findings."""
    from sneaker_core.datasets.class_balance import stats

    values = stats(found_dataset(workspace, name))
    print_result(values, as_json, lambda: "\n".join(_stats_words(values)))


def _stats_words(values: dict[str, Any]) -> list[str]:
    found = {kind.replace("_", " "): count for kind, count in values["findings"].items() if count}
    return [
        f"{values['name']}: {counted(values['photos'], 'photo')}, {values['excluded']:,} excluded, "
        f"{values['rejects']:,} rejected",
        *(f"  {label}: {row['total']:,}" for label, row in values["classes"].items()),
        values["advice"],
        *(f"{kind}: {count:,}" for kind, count in found.items()),
        *_spelling_words(values),
        *(["Not checked yet. Run: dataset scan"] if values["scan"] is None else []),
    ]


def _spelling_words(values: dict[str, Any]) -> list[str]:
    """What to say of classes that differ only in spelling."""
    if not values["spellings"]:
        return []
    from sneaker_core.datasets.quality.class_spellings import spellings_title

    return [
        f"{spellings_title(len(values['spellings']))}:",
        *(f"  {one['question']}" for one in values["spellings"]),
        f"To merge them: dataset merge-classes {values['name']} --all",
    ]


@dataset.command()
@dataset_argument
@click.option(
    "--no-model", is_flag=True, help="Skip the model: faster, but without wrong labels, outliers and the map."
)
@click.option("--model", "model_name", default=None, metavar="MODEL", help="The model that embeds the photos.")
@json_option
@click.pass_obj
def scan(workspace: Path, name: str, no_model: bool, model_name: str | None, as_json: bool) -> None:
    """Check photos for near-duplicates, wrong labels, outliers, blurry, dark and small photos, and more."""
    from sneaker_core.datasets.class_balance import stats
    from sneaker_core.datasets.dataset_collection import find_source, source_reference
    from sneaker_core.datasets.quality.scan import scan
    from sneaker_core.networks.model_registry import open_model
    from sneaker_core.workspace.shell_work import shell_work

    with long_work() as worker:
        found = found_dataset(workspace, name)
        model = None if no_model else open_model(workspace, model_or_default(model_name))
        params = {"dataset": source_reference(workspace, find_source(workspace, name)), "model": model_name}
        with shell_work(workspace, "dataset_scan", params, f"Checking {found.name}"):
            finished = scan(found, model, report=shown(worker))
        values = stats(found)
    if not finished:
        raise SneakerError(STOPPED)
    print_result(values, as_json, lambda: "\n".join(_stats_words(values)))


@dataset.command()
@dataset_argument
@click.option("--shares", default="70/15/15", show_default=True, help="Training:test or training/validation/test.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--check", is_flag=True, help="Only check the current split for leaks.")
@json_option
@click.pass_obj
def split(workspace: Path, name: str, shares: str, seed: int, check: bool, as_json: bool) -> None:
    """Split the photos of each class, keep near-duplicates together, and store the split."""
    from sneaker_core.datasets.class_balance import balance
    from sneaker_core.datasets.dataset_split import find_leaks, make_split
    from sneaker_core.datasets.index import read_samples
    from sneaker_core.datasets.split import parse_shares

    found = found_dataset(workspace, name)
    if not check:
        make_split(found, *parse_shares(shares), seed)
    counts = balance(read_samples(found)).drop(columns="label").sum().astype(int).to_dict()
    leaks = find_leaks(found)
    values = {"counts": counts, "leaks": leaks.to_dict("records")}
    groups = leaks["group_id"].nunique()
    parts = [f"{part} {count:,}" for part, count in counts.items() if count]
    leaking = f"{counted(groups, 'near-duplicate group')} in more than one split" if groups else "no leaks"
    print_result(values, as_json, lambda: f"{', '.join(parts)}; {leaking}.")


@dataset.command()
@dataset_argument
@click.option(
    "--format",
    "kind",
    default="folder",
    show_default=True,
    type=click.Choice(["folder", "zip", "csv", "imagefolder", "coco", "fiftyone", "huggingface"]),
    help="zip is folder as an archive; csv with a file that ends in .csv is the table alone.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder or .zip file to write.")
@json_option
@click.pass_obj
def export(workspace: Path, name: str, kind: str, out: Path, as_json: bool) -> None:
    """Export the dataset with all decisions applied, for SoleScope or other programs; `import` reads it back."""
    from sneaker_core.datasets.dataset_export import export_dataset, export_zip
    from sneaker_core.datasets.export_layouts import ExportFormat

    found = found_dataset(workspace, name)
    if kind == "zip":
        export_zip(found, out, is_change=False)
    else:
        export_dataset(found, out, ExportFormat(kind))
    print_result({"out": str(out)}, as_json, lambda: f"Exported to {out}.")


@dataset.command()
@dataset_argument
@click.argument("new_name", metavar="NEW")
@json_option
@click.pass_obj
def rename(workspace: Path, name: str, new_name: str, as_json: bool) -> None:
    """Rename a dataset."""
    from sneaker_core.datasets.dataset_collection import rename_dataset

    rename_dataset(workspace, found_dataset(workspace, name), new_name)
    print_result({"name": new_name}, as_json, lambda: f"Renamed {name} to {new_name}.")


@dataset.command()
@dataset_argument
@json_option
@click.pass_obj
def delete(workspace: Path, name: str, as_json: bool) -> None:
    """Move a dataset to the bin."""
    from sneaker_core.datasets.dataset_collection import delete_dataset

    target = delete_dataset(workspace, name)
    print_result(
        {"bin": target.name}, as_json, lambda: f"Moved {name} to the bin. To restore: dataset restore {target.name}"
    )


@dataset.command()
@click.argument("name", metavar="NAME")
@json_option
@click.pass_obj
def restore(workspace: Path, name: str, as_json: bool) -> None:
    """Restore a dataset from the bin."""
    from sneaker_core.datasets.dataset_collection import restore_dataset

    restored = restore_dataset(workspace, name)
    print_result({"name": restored.name}, as_json, lambda: f"Restored {restored.name}.")


@dataset.command()
@dataset_argument
@json_option
@click.pass_obj
def repair(workspace: Path, name: str, as_json: bool) -> None:
    """Rebuild a damaged index from the photos and what is intact of it."""
    from sneaker_core.datasets.dataset_collection import repair_dataset

    report = repair_dataset(workspace, name)
    values = {"dataset": name, "damaged": False} if report is None else {"damaged": True, **report.to_dict()}
    print_result(values, as_json, lambda: "\n".join(_repair_words(values)))


def _repair_words(values: dict[str, Any]) -> list[str]:
    if not values["damaged"]:
        return [f"{values['dataset']}: the index is intact. Nothing was changed."]
    kept = f" The damaged index is kept as {values['kept_as']}." if values["kept_as"] else ""
    return [
        f"{values['name']}: rebuilt with {counted(values['photos'], 'photo')} and "
        f"{counted(values['decisions'], 'decision')}.{kept}",
        *([f"read again, with the class of their folder: {values['read_again']:,}"] if values["read_again"] else []),
        *(f"lost: {what}: {count:,}" for what, count in values["lost"].items()),
        *(f"  {file}: {reason}" for file, reason in values["unusable"].items()),
        "Check the photos again to find duplicates and other problems: dataset scan",
    ]
