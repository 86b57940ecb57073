"""The command `models`: list the available models."""

from pathlib import Path
from typing import Any

import click

from sneaker_core.commands.common import json_option, print_result
from sneaker_core.number_text import percent


@click.command()
@json_option
@click.pass_obj
def models(workspace: Path, as_json: bool) -> None:
    """List the available models: bundled ones and those of runs."""
    from sneaker_core.networks.model_registry import list_models

    rows = [entry.to_dict() for entry in list_models(workspace)]
    print_result(rows, as_json, lambda: "\n".join(map(_line, rows)) or "There are no models yet.")


def _line(row: dict[str, Any]) -> str:
    accuracy = "not evaluated" if row["top1"] is None else f"top-1 accuracy {percent(row['top1'], 1)}"
    return f"{row['name']}  {row['network']}, {len(row['classes'])} classes, {accuracy}"
