"""The command `phone-page`: build the page that names sneakers on a phone by itself, without a server that computes."""

from pathlib import Path

import click

from sneaker_core.commands.common import json_option, long_work, model_or_default, print_result, shown
from sneaker_core.inference.export.export_formats import ExportFormat
from sneaker_core.workspace.paths import phone_page_folder


@click.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder to build in; by default /phone.")
@click.option("--model", "name", metavar="MODEL", help="A bundled model, a run, a folder, or an ONNX file.")
@click.option(
    "--format", "chosen", type=click.Choice([one.value for one in ExportFormat]), default="onnx", show_default=True
)
@json_option
@click.pass_obj
def phone_page(workspace: Path, out: Path | None, name: str | None, chosen: str, as_json: bool) -> None:
    """Build a page that names sneakers on the phone itself, also offline, for any web host.

    Without --out, the app serves it at /phone. To open the app itself on a phone, use `phone`.
    """
    from sneaker_core.inference.phone_page.page_build import build_page
    from sneaker_core.networks.model_registry import find_model

    folder = out or phone_page_folder(workspace)
    with long_work() as worker:
        model = find_model(workspace, model_or_default(name))
        built = build_page(workspace, model, folder, ExportFormat(chosen), is_change=out is None, report=shown(worker))
    place = "The app serves it at /phone." if out is None else "Copy it to any web host that has HTTPS."
    text = f"Built {built.folder} ({built.size / 1e6:.1f} MB on a phone). {place}"
    print_result(built.to_dict(), as_json, lambda: text)
