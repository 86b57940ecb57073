"""The command line: everything a page does, with the same core calls.

``python -m sneaker_core [--workspace DIR] COMMAND …``. Results go to standard output, what went wrong to standard
error in one line. Exit status: 0 all well, 1 something failed, 2 wrong usage.
"""

import json
import sys
from pathlib import Path
from typing import Any

import click

from sneaker_core import __version__, paths
from sneaker_core.commands.common import Commands, json_option, print_result
from sneaker_core.commands.dataset import dataset
from sneaker_core.commands.runs import runs
from sneaker_core.commands.train import train
from sneaker_core.commands.trials import augment, estimate, rates
from sneaker_core.commands.tune import studies, tune
from sneaker_core.errors import SneakerError
from sneaker_core.jobs import end_if_open

_MODEL_HELP = "A bundled model's name, a run's name, or a folder."


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="solescope")
@click.option("--workspace", type=click.Path(path_type=Path), help="Folder of datasets and runs.")
@click.pass_context
def main(ctx: click.Context, workspace: Path | None) -> None:
    """Tell what a sneaker is, how sure the machine is, why, and where it goes wrong."""
    ctx.obj = paths.workspace(workspace)


for command in (dataset, train, runs, estimate, rates, augment, tune, studies):
    main.add_command(command)


@main.command()
@json_option
@click.pass_obj
def models(workspace: Path, as_json: bool) -> None:
    """List the models there are."""
    from sneaker_core.networks.library import list_models

    entries = [entry.to_dict() for entry in list_models(workspace)]
    lines = [f"{row['name']}  {row['network']}, {len(row['classes'])} classes, top-1 {row['top1']}" for row in entries]
    print_result(entries, as_json, lambda: "\n".join(lines) or "There is no model yet.")


@main.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGE…")
@click.option("--model", "name", default=None, metavar="MODEL", help=_MODEL_HELP)
@click.option("--top", default=3, show_default=True, type=click.IntRange(1, 10), help="How many classes to name.")
@json_option
@click.pass_obj
def predict(workspace: Path, images: tuple[Path, ...], name: str | None, top: int, as_json: bool) -> None:
    """Say what the sneaker on each IMAGE is: a JSON line an image, in order."""
    from sneaker_core.inference.predictor import predict_file
    from sneaker_core.networks.decision import Status
    from sneaker_core.networks.library import DEFAULT_MODEL, open_model

    model = open_model(name or DEFAULT_MODEL, workspace)
    failed = 0
    for image in images:
        answer = predict_file(model, image, top)
        click.echo(json.dumps(answer.to_dict(), ensure_ascii=False))
        failed += answer.status is Status.ERROR
    if failed:
        raise SneakerError(f"{failed} of {len(images)} images could not be read; the others are answered.")


@main.command()
@click.argument("name", metavar="MODEL")
@click.option("--data", required=True, help="A dataset's name, or a folder laid out as <class>/*.")
@click.option(
    "--split", type=click.Choice(["train", "val", "test"]), help="Only the photos that served the model as that."
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Also write the prediction table (Parquet)."
)
@json_option
@click.pass_obj
def evaluate(workspace: Path, name: str, data: str, split: str | None, out: Path | None, as_json: bool) -> None:
    """Measure MODEL on labelled photos; under torchrun several processes share the photos."""
    from sneaker_core import processes
    from sneaker_core.evaluation.folder import evaluate_folder
    from sneaker_core.networks.library import find_model

    with processes.joined():
        figures, table = evaluate_folder(find_model(name, workspace), data, workspace, split)
    if not processes.is_first():
        return
    if out:
        paths.write_atomically(out, table.to_parquet())
    print_result(figures, as_json, lambda: _figures(figures))


def _figures(figures: dict[str, Any]) -> str:
    lines = [
        f"{figures['n']} photos",
        *(f"{key:9} {figures[key]:.3f}" for key in ("top1", "top3", "macro_f1", "ece", "refused")),
        *(
            f"{row['label']} is taken for {row['predicted']} in {row['count']} of {row['of']}"
            for row in figures["confusions"][:5]
        ),
        *(
            f"not judged: {label} ({count} photos), a class the model does not know"
            for label, count in figures["left_out"].items()
        ),
        *(f"could not be read: {path}: {why}" for path, why in figures["rejected"].items()),
    ]
    return "\n".join(lines)


@main.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="PNG file to write.")
@click.option("--model", "name", default=None, metavar="MODEL", help=_MODEL_HELP)
@click.option("--method", default="gradcam", show_default=True, type=click.Choice(["gradcam"]))
@click.option("--target", metavar="LABEL", help="Class to explain; the most probable one when left out.")
@click.option("--versus", metavar="LABEL", help="Show why the target rather than this class.")
@json_option
@click.pass_obj
def explain(
    workspace: Path,
    image: Path,
    out: Path,
    name: str | None,
    method: str,
    target: str | None,
    versus: str | None,
    as_json: bool,
) -> None:
    """Draw where the network looked on IMAGE."""
    from sneaker_core.inference.explanation import explain_file
    from sneaker_core.networks.library import DEFAULT_MODEL, open_model

    model = open_model(name or DEFAULT_MODEL, workspace)
    png, explained = explain_file(model, image, target, versus)
    paths.write_atomically(out, png)
    values = {"image": str(image), "out": str(out), "method": method, "target": explained, "versus": versus}
    print_result(values, as_json, lambda: f"{out}: what speaks for {explained}")


if __name__ == "__main__":
    # Names come in every script; a console that cannot show one must not end the command.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        main(prog_name="python -m sneaker_core")
    finally:
        end_if_open("It ended before its work began. The log says more.")
