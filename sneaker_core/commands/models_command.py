"""The command `models`: list the available models."""

from collections.abc import Mapping
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
    from sneaker_core.evaluation.model_facts import described_models

    rows = described_models(workspace)
    print_result(rows, as_json, lambda: "\n".join(map(_line, rows)) or "There are no models yet.")


def _line(row: Mapping[str, Any]) -> str:
    if row["problem"]:
        return f"{row['name']}  {row['problem']}"
    accuracy = "not evaluated" if row["top1"] is None else f"top-1 accuracy {percent(row['top1'], 1)}"
    worlds = "".join(
        f"; {world['world']} {percent(world['top1']['value'], 1)}" for world in row["worlds"] if world["known"]
    )
    return f"{row['name']}  {row['network']}, {len(row['classes'])} classes, {accuracy}{worlds}"
