"""The command `predict`: what photos show."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sneaker_core.commands.common import json_option, model_or_default
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import percent

if TYPE_CHECKING:
    from sneaker_core.inference.predictor import Answer


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGE…")
@click.option("--model", "name", metavar="MODEL", help="A bundled model, a run, or a folder.")
@click.option("--top", default=3, show_default=True, type=click.IntRange(1, 10), help="Number of classes to name.")
@json_option
@click.pass_obj
def predict(workspace: Path, images: tuple[Path, ...], name: str | None, top: int, as_json: bool) -> None:
    """Identify the sneaker in each IMAGE, in order.

    On a terminal, print a readable line per image. With --json, or if the output goes to a file or another program,
    print a JSON object per line.
    """
    from sneaker_core.inference.predictor import predict_file
    from sneaker_core.networks.decision import Status
    from sneaker_core.networks.model_registry import open_model

    model = open_model(workspace, model_or_default(name))
    readable = sys.stdout.isatty() and not as_json
    failed = 0
    for image in images:
        answer = predict_file(model, image, top)
        click.echo(_line(answer) if readable else json.dumps(answer.to_dict()))
        failed += answer.status is Status.ERROR
    if failed:
        raise SneakerError(f"Can't read {failed} of {len(images)} images.")


def _line(answer: "Answer") -> str:
    if answer.error is not None:
        return answer.sentence()
    if answer.refused:
        return f"{answer.image}: {answer.sentence()}."
    chances = ", ".join(f"{guess.label} {percent(guess.probability)}" for guess in answer.top)
    return f"{answer.image}: {answer.sentence()}. {chances}"
