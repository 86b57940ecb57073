"""The command ``correct``: retrain a copy of a model with the corrections made in Identify."""

from pathlib import Path

import click

from sneaker_core.commands.common import json_option, model_or_default, print_result


@click.command()
@click.option("--model", metavar="MODEL", help="The model to copy.")
@click.option("--as", "new_name", metavar="NAME", help="Name of the retrained model.")
@json_option
@click.pass_obj
def correct(workspace: Path, model: str | None, new_name: str | None, as_json: bool) -> None:
    """Retrain a copy of a model with the photos in the dataset "My corrections", and say what that changed."""
    from sneaker_core.training.corrected_model import correct_model

    done = correct_model(workspace, model_or_default(model), new_name)
    print_result(done.to_dict(), as_json, lambda: "\n".join(done.sentences()))
