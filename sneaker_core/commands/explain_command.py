"""The command `explain`: attribution maps of photos."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sneaker_core.commands.common import json_option, long_work, model_or_default, shown
from sneaker_core.errors import SneakerError
from sneaker_core.inference.explanation.explanation_request import DEFAULT_OPACITY, ExplanationRequest, Method
from sneaker_core.workspace.atomic_files import write_atomically

if TYPE_CHECKING:
    from sneaker_core.inference.explanation.explain_photos import Explanation

_METHODS = click.Choice([method.value for method in Method])


@click.command()
@click.argument("images", nargs=-1, type=click.Path(path_type=Path), metavar="[IMAGE…]")
@click.option("--data", help="Instead of images: a dataset, or a folder with a subfolder per class.")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="With --data: only this class; repeatable.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="PNG file to write; for several images a folder, or a .zip file.",
)
@click.option("--model", "name", metavar="MODEL", help="A bundled model, a run, or a folder.")
@click.option("--method", default=Method.GRADCAM.value, show_default=True, type=_METHODS, help="Attribution method.")
@click.option("--target", metavar="LABEL", help="Class to explain; by default each image's most probable one.")
@click.option("--versus", metavar="LABEL", help="Class to compare with: why the target and not this class?")
@click.option("--layer", metavar="NAME", help="Layer for Grad-CAM; an unknown name lists the available ones.")
@click.option(
    "--opacity", default=DEFAULT_OPACITY, show_default=True, type=click.FloatRange(0, 1), help="Opacity of the map."
)
@click.option("--max-side", type=click.IntRange(16), metavar="PIXELS", help="Maximum longest side of the overlays.")
@click.option("--largest", type=click.IntRange(16), hidden=True)
@click.option("--sanity-check", is_flag=True, help="Also check whether the map can be relied on; takes longer.")
@click.option("--check", is_flag=True, hidden=True)
@json_option
@click.pass_obj
def explain(
    workspace: Path,
    /,
    images: tuple[Path, ...],
    data: str | None,
    labels: tuple[str, ...],
    out: Path,
    name: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Draw where the model found evidence in each IMAGE, in order. A folder stands for all files in it."""
    if (data is None) == (not images):
        raise click.UsageError("Give either images or --data.")
    from sneaker_core.inference.explanation.explain_photos import explain_files
    from sneaker_core.inference.explanation.explanation_jobs import photo_files
    from sneaker_core.networks.model_registry import open_model

    with long_work() as worker, _recorded(workspace, data, name):
        worker.report(0, 0, "Loading the model")
        model = open_model(workspace, model_or_default(name))
        photos = list(photo_files(images)) if data is None else _dataset_photos(data, labels, workspace)
        # A single photo is done before a progress bar would help.
        report = shown(worker) if len(photos) > 1 else worker.report
        explanations = explain_files(model, photos, _request(**options), report, worker.stopped)
        single = len(photos) == 1 and data is None and not images[0].is_dir()
        if out.suffix.casefold() == ".zip":
            count, failed = _write_zip(out, explanations, as_json)
        else:
            count, failed = _write_pictures(out, explanations, as_json, single)
        if failed:
            raise SneakerError(_failure(failed, count + len(failed), single))


def _recorded(workspace: Path, data: str | None, model: str | None) -> AbstractContextManager[None]:
    """Keeps the dataset and the model while they are used."""
    from sneaker_core.datasets.dataset_collection import find_source, source_reference
    from sneaker_core.workspace.shell_work import shell_work

    if data is None:
        return nullcontext()
    source = find_source(workspace, data)
    params = {"dataset": source_reference(workspace, source), "model": model}
    return shell_work(workspace, "explain_photos", params, f"Explaining photos of {source.name}")


def _request(**options: Any) -> ExplanationRequest:
    """The request, with options under their old names as a fallback."""
    largest, check = options.pop("largest"), options.pop("check")
    options["max_side"] = options["max_side"] or largest
    options["sanity_check"] = options["sanity_check"] or check
    return ExplanationRequest.from_dict(options)


def _dataset_photos(data: str, labels: tuple[str, ...], workspace: Path) -> list[Path]:
    from sneaker_core.datasets.dataset_collection import open_samples

    return [Path(path) for path in open_samples(workspace, data, labels)["path"]]


def _print(explanation: "Explanation", file: str | None, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_values(explanation, file)))
    elif file is not None:
        checks = explanation.sanity_check.sentences if explanation.sanity_check else ()
        click.echo("\n  ".join([f"{file}: {explanation.caption}", *checks]))


def _write_pictures(
    out: Path, explanations: "Iterator[Explanation]", as_json: bool, single: bool
) -> tuple[int, dict[str, str]]:
    """Write overlays into a folder, or the only one into a file."""
    from sneaker_core.inference.explanation.explanation_files import PictureNames

    names, count, failed = PictureNames(), 0, {}
    for explanation in explanations:
        file = out if single else out / names.of(explanation.image)
        if explanation.error is None:
            write_atomically(file, explanation.png(), is_change=False)
            count += 1
        else:
            failed[explanation.image] = explanation.error
        _print(explanation, None if explanation.error else str(file), as_json)
    return count, failed


def _write_zip(out: Path, explanations: "Iterator[Explanation]", as_json: bool) -> tuple[int, dict[str, str]]:
    from sneaker_core.inference.explanation.explanation_files import write_zip

    def printed() -> "Iterator[Explanation]":
        for explanation in explanations:
            _print(explanation, None if explanation.error else str(out), as_json)
            yield explanation

    return write_zip(out, printed())


def _values(explanation: "Explanation", file: str | None) -> dict[str, Any]:
    request, check = explanation.request, explanation.sanity_check
    return {
        "image": explanation.image,
        "out": file,
        "method": request.method.value,
        "target": request.target,
        "versus": request.versus,
        "layer": request.layer,
        "error": explanation.error,
        **({} if check is None else {"check": check.to_dict()}),
    }


def _failure(failed: dict[str, str], count: int, single: bool) -> str:
    image, reason = next(iter(failed.items()))
    if single:
        return f"{image}: {reason}"
    return f"Can't read {len(failed)} of {count} images. The first is {image}: {reason}"
