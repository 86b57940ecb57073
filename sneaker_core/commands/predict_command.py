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
    from sneaker_core.inference.same_sneaker import SameSneakerAnswer


@click.command()
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGE…")
@click.option("--model", "name", metavar="MODEL", help="A bundled model, a run, or a folder.")
@click.option("--top", default=3, show_default=True, type=click.IntRange(1, 10), help="Number of classes to name.")
@click.option("--same-sneaker", is_flag=True, help="All images show the same sneaker: add one answer to all of them.")
@json_option
@click.pass_obj
def predict(
    workspace: Path, images: tuple[Path, ...], name: str | None, top: int, same_sneaker: bool, as_json: bool
) -> None:
    """Identify the sneaker in each IMAGE, in order.

    On a terminal, print a readable line per image. With --json, or if the output goes to a file or another program,
    print a JSON object per line. With --same-sneaker, the last line is the answer to all images together.
    """
    from sneaker_core.inference.predictor import answer_of, read_photo_file
    from sneaker_core.inference.same_sneaker import file_digest, same_sneaker_answer
    from sneaker_core.networks.decision import Status
    from sneaker_core.networks.model_registry import open_model

    model = open_model(workspace, model_or_default(name))
    readable = sys.stdout.isatty() and not as_json
    readings, failed = [], 0
    for image in images:
        readings.append(read_photo_file(model, image))
        answer = answer_of(model, readings[-1], top)
        click.echo(_line(answer) if readable else json.dumps(answer.to_dict()))
        failed += answer.status is Status.ERROR
    if same_sneaker:
        together = same_sneaker_answer(model, readings, [file_digest(image) for image in images], top)
        click.echo(_lines(together) if readable else json.dumps(together.to_dict()))
    if failed:
        raise SneakerError(f"Can't read {failed} of {len(images)} images.")


def _line(answer: "Answer") -> str:
    if answer.error is not None:
        return answer.sentence()
    if answer.refused:
        return f"{answer.image}: {answer.sentence()}."
    chances = ", ".join(f"{guess.label} {percent(guess.probability)}" for guess in answer.top)
    return f"{answer.image}: {answer.sentence()}. {chances}"


def _lines(together: "SameSneakerAnswer") -> str:
    notes = [note for note in (together.agreement(), together.left_out(), together.warning()) if note]
    return "\n".join([_line(together.answer), *(f"  {note.removesuffix('.')}." for note in notes)])
