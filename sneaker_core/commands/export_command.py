"""The command `export`: a model as an ONNX file."""

from pathlib import Path

import click

from sneaker_core.commands.common import json_option, long_work, print_result, shown
from sneaker_core.inference.export.export_formats import ExportFormat

_FORMATS = [one.value for one in ExportFormat]


@click.command()
@click.argument("name", metavar="MODEL")
@click.option(
    "--format", "chosen", type=click.Choice([one.value for one in ExportFormat]), default="onnx", show_default=True
)
@click.option("--out", "file", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.onnx")
@json_option
@click.pass_obj
def export(workspace: Path, name: str, chosen: str, file: Path, as_json: bool) -> None:
    """Write MODEL to an ONNX file, for programs outside SoleScope and for faster answers.

    The file holds everything that an answer needs: preprocessing, classes, temperature, thresholds and reference
    embeddings. It is compared with the model first, and not written if it disagrees.
    """
    from sneaker_core.inference.export.export_model import export_model
    from sneaker_core.networks.model_registry import find_model

    with long_work() as worker:
        done = export_model(workspace, find_model(workspace, name), file, ExportFormat(chosen), report=shown(worker))
    print_result(done.to_dict(), as_json, done.sentence)
