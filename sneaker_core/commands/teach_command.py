"""The commands ``teach`` and ``forget``: new sneakers by example, without training."""

from pathlib import Path

import click

from sneaker_core.commands.common import json_option, model_or_default, pairs, print_result


@click.command()
@click.argument("name", required=False, metavar="[NAME]")
@click.argument("photos", nargs=-1, type=click.Path(path_type=Path), metavar="[PHOTO…]")
@click.option(
    "--class", "classes", multiple=True, callback=pairs, metavar="NAME=FOLDER", help="A sneaker and its photos."
)
@click.option("--model", metavar="MODEL", help="The model to copy, or a taught one.")
@click.option("--as", "new_name", metavar="NAME", help="Name of the taught model.")
@click.option("--empty", is_flag=True, help="Start with a model that knows no sneakers.")
@json_option
@click.pass_obj
def teach(
    workspace: Path,
    name: str | None,
    photos: tuple[Path, ...],
    classes: dict[str, str],
    model: str | None,
    new_name: str | None,
    empty: bool,
    as_json: bool,
) -> None:
    """Teach a copy of a model the sneaker NAME, shown in 3 to 10 PHOTOs, without training.

    A PHOTO may be a folder of photos. Several sneakers at once: --class NAME=FOLDER for each, instead of NAME and
    PHOTOs. A taught model needs no --as to be taught more.
    """
    from sneaker_core.training.teaching import teach as teach_model

    if (name is None) == (not classes):
        raise click.UsageError("Name a sneaker and its photos, or give --class NAME=FOLDER.")
    given = [(name, photos)] if name is not None else [(one, (Path(folder),)) for one, folder in classes.items()]
    sneakers = {one: [file for photo in shown for file in _files(photo)] for one, shown in given}
    done = teach_model(workspace, sneakers, model_or_default(model), new_name=new_name, empty=empty)
    lines = [line for lesson in done.lessons for line in lesson.sentences()]
    print_result(done.to_dict(), as_json, lambda: "\n".join([*lines, f"The model is named {done.model}."]))


def _files(photo: Path) -> list[Path]:
    """A photo, or the photos of a folder."""
    from sneaker_core.datasets.photo_folder import read_unlabeled_folder

    return [Path(path) for path in read_unlabeled_folder(photo)["path"]] if photo.is_dir() else [photo]


@click.command()
@click.argument("name", metavar="NAME")
@click.option("--model", required=True, metavar="MODEL", help="A taught model.")
@click.option("--undo", is_flag=True, help="Recall a sneaker that it was made to forget.")
@json_option
@click.pass_obj
def forget(workspace: Path, name: str, model: str, undo: bool, as_json: bool) -> None:
    """Make a taught model forget the sneaker NAME."""
    from sneaker_core.training import teaching

    left = (teaching.recall if undo else teaching.forget)(workspace, name, model)
    what = f"{'Recalled' if undo else 'Forgotten'}. Taught: {', '.join(left) or 'none'}."
    print_result({"model": model, "taught": list(left)}, as_json, lambda: what)
