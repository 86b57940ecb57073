"""The command that shows why."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sneaker_core import paths
from sneaker_core.commands.common import json_option
from sneaker_core.errors import SneakerError
from sneaker_core.inference.explanation.question import DEFAULT_OPACITY, Method, Question, Wanted

if TYPE_CHECKING:
    from sneaker_core.inference.explanation.files import Explained


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGE…")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="PNG file to write; for several images, a folder."
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
@click.option("--check", is_flag=True, help="Also find out how much the map is worth; takes longer.")
@json_option
@click.pass_obj
def explain(
    workspace: Path,
    images: tuple[Path, ...],
    out: Path,
    name: str | None,
    method: str,
    target: str | None,
    versus: str | None,
    layer: str | None,
    opacity: float,
    check: bool,
    as_json: bool,
) -> None:
    """Draw where the network looked on each IMAGE: a line an image, in order."""
    from sneaker_core.inference.explanation.files import explain_many
    from sneaker_core.networks.library import DEFAULT_MODEL, open_model

    model = open_model(name or DEFAULT_MODEL, workspace)
    wanted = Wanted(Question(target, versus, Method(method), layer), opacity, check=check)
    failed = []
    for found, file in zip(explain_many(model, images, wanted), _files(images, out), strict=True):
        if found.png is None:
            failed.append(f"{found.image}: {found.error}")
        else:
            paths.write_atomically(file, found.png)
        if found.png is not None or as_json:
            click.echo(json.dumps(_values(found, file), ensure_ascii=False) if as_json else _words(found, file))
    if failed:
        raise SneakerError(failed[0] if len(images) == 1 else _summary(failed, len(images)))


def _files(images: tuple[Path, ...], out: Path) -> list[Path]:
    """Where each picture goes; images of one name in several folders are numbered."""
    if len(images) == 1:
        return [out]
    names: list[str] = []
    for image in images:
        stem, number = image.stem, 2
        while (file := f"{stem}.png") in names:
            stem, number = f"{image.stem}-{number}", number + 1
        names.append(file)
    return [out / file for file in names]


def _values(found: "Explained", file: Path) -> dict[str, Any]:
    asked = found.question
    return {
        "image": found.image,
        "out": None if found.png is None else str(file),
        "method": asked.method.value,
        "target": asked.target,
        "versus": asked.versus,
        "layer": asked.layer,
        "error": found.error,
        **({} if found.trust is None else {"check": found.trust.to_dict()}),
    }


def _words(found: "Explained", file: Path) -> str:
    asked = found.question
    rather = f" rather than {asked.versus}" if asked.versus else ""
    checks = found.trust.sentences if found.trust else ()
    return "\n  ".join([f"{file}: what speaks for {asked.target}{rather}", *checks])


def _summary(failed: list[str], count: int) -> str:
    return f"{len(failed)} of {count} images could not be read, the first is {failed[0]}"
