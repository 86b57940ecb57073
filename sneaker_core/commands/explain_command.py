"""The command that shows why."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sneaker_core.commands.common import json_option, long_work, shown
from sneaker_core.errors import ImageError, SneakerError
from sneaker_core.inference.explanation.explanation_request import DEFAULT_OPACITY, Method, Question, Wanted
from sneaker_core.workspace.atomic_files import write_atomically

if TYPE_CHECKING:
    from sneaker_core.inference.explanation.explain_photos import Explained


@click.command()
@click.argument("images", nargs=-1, type=click.Path(path_type=Path), metavar="[IMAGE…]")
@click.option("--data", help="Instead of images: a dataset's name, or a folder laid out as <class>/*.")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="With --data: only this class; again for more.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="PNG file to write; for several images a folder, or a file that ends in .zip.",
)
@click.option(
    "--model", "name", default=None, metavar="MODEL", help="A bundled model's name, a run's name, or a folder."
)
@click.option(
    "--method", default=Method.GRADCAM.value, show_default=True, type=click.Choice([method.value for method in Method])
)
@click.option("--target", metavar="LABEL", help="Class to explain; each image's most probable one when left out.")
@click.option("--versus", metavar="LABEL", help="Show why the target rather than this class.")
@click.option("--layer", metavar="NAME", help="Layer that Grad-CAM looks at; a wrong name lists those there are.")
@click.option(
    "--opacity", default=DEFAULT_OPACITY, show_default=True, type=click.FloatRange(0, 1), help="Of the colours."
)
@click.option("--largest", type=click.IntRange(16), metavar="PIXELS", help="Longer side of the pictures, at most.")
@click.option("--check", is_flag=True, help="Also find out how much the map is worth; takes longer.")
@json_option
@click.pass_obj
def explain(
    workspace: Path,
    images: tuple[Path, ...],
    data: str | None,
    labels: tuple[str, ...],
    out: Path,
    name: str | None,
    method: str,
    target: str | None,
    versus: str | None,
    layer: str | None,
    opacity: float,
    largest: int | None,
    check: bool,
    as_json: bool,
) -> None:
    """Draw where the network looked on each IMAGE: a line an image, in order. A folder stands for all files in it."""
    if (data is None) == (not images):
        raise click.UsageError("Name images, or a dataset by --data.")
    from sneaker_core.inference.explanation.explain_photos import explain_many
    from sneaker_core.networks.model_registry import DEFAULT_MODEL, open_model

    with long_work() as worker:
        worker.report(0, 0, "Reading the model")
        model = open_model(workspace, name or DEFAULT_MODEL)
        photos = list(_files(images)) if data is None else _of_dataset(data, labels, workspace)
        wanted = Wanted(Question(target, versus, Method(method), layer), opacity, largest, check)
        # One photo is done before a bar would be of use.
        report = shown(worker) if len(photos) > 1 else worker.report
        found = explain_many(model, photos, wanted, report, worker.stopped)
        tell = _teller(as_json)
        single = len(photos) == 1 and data is None and not images[0].is_dir()
        if out.suffix.casefold() == ".zip":
            count, failed = _pack(out, found, tell)
        else:
            count, failed = _write(out, found, tell, single)
        if failed:
            image, why = next(iter(failed.items()))
            raise SneakerError(f"{image}: {why}" if single else _summary(failed, count + len(failed)))


def _files(images: tuple[Path, ...]) -> Iterator[Path]:
    """The images, in place of a folder those in it."""
    for image in images:
        if not image.is_dir():
            yield image
            continue
        inside = sorted(path for path in image.iterdir() if path.is_file() and not path.name.startswith("."))
        if not inside:
            raise ImageError(f"There is no photo in the folder {image}.")
        yield from inside


def _of_dataset(data: str, labels: tuple[str, ...], workspace: Path) -> list[Path]:
    from sneaker_core.datasets.dataset_collection import open_samples

    return [Path(path) for path in open_samples(workspace, data, labels)["path"]]


_Tell = Callable[["Explained", str | None], None]


def _teller(as_json: bool) -> _Tell:
    def tell(found: "Explained", file: str | None) -> None:
        if file is not None or as_json:
            click.echo(json.dumps(_values(found, file), ensure_ascii=False) if as_json else _words(found, file))

    return tell


def _write(out: Path, found: "Iterator[Explained]", tell: _Tell, single: bool) -> tuple[int, dict[str, str]]:
    """Pictures into a folder, or the only one into a file."""
    from sneaker_core.inference.explanation.explanation_files import PictureNames

    names, count, failed = PictureNames(), 0, {}
    for each in found:
        file = out if single else out / names.of(each.image)
        if each.png is None:
            failed[each.image] = str(each.error)
        else:
            write_atomically(file, each.png)
            count += 1
        tell(each, None if each.png is None else str(file))
    return count, failed


def _pack(out: Path, found: "Iterator[Explained]", tell: _Tell) -> tuple[int, dict[str, str]]:
    from sneaker_core.inference.explanation.explanation_files import write_zip

    def told() -> "Iterator[Explained]":
        for each in found:
            tell(each, None if each.png is None else str(out))
            yield each

    return write_zip(out, told())


def _values(found: "Explained", file: str | None) -> dict[str, Any]:
    asked = found.question
    return {
        "image": found.image,
        "out": file,
        "method": asked.method.value,
        "target": asked.target,
        "versus": asked.versus,
        "layer": asked.layer,
        "error": found.error,
        **({} if found.trust is None else {"check": found.trust.to_dict()}),
    }


def _words(found: "Explained", file: str | None) -> str:
    asked = found.question
    rather = f" rather than {asked.versus}" if asked.versus else ""
    checks = found.trust.sentences if found.trust else ()
    return "\n  ".join([f"{file}: what speaks for {asked.target}{rather}", *checks])


def _summary(failed: dict[str, str], count: int) -> str:
    image, why = next(iter(failed.items()))
    return f"{len(failed)} of {count} images could not be read, the first is {image}: {why}"
