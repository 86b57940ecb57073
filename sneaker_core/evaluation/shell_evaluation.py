"""Evaluate from a shell or a notebook, recorded while it lasts, so that model and photos are kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sneaker_core import process_group
from sneaker_core.datasets.dataset_collection import find_source, source_reference
from sneaker_core.evaluation.evaluation_job import EvaluationResult, evaluate
from sneaker_core.evaluation.evaluation_plan import sources_text
from sneaker_core.networks.checkpoint import read_spec
from sneaker_core.networks.model_registry import model_reference
from sneaker_core.workspace.shell_work import shell_work


def evaluate_in_shell(
    model_folder: Path, data: str | Path | Mapping[str, str | Path], workspace: Path, split: str | None, **options: Any
) -> EvaluationResult:
    """As `evaluation_job.evaluate`, with the same parameters and errors."""
    if not process_group.is_first():
        return evaluate(model_folder, data, workspace, split, **options)
    sources = data if isinstance(data, Mapping) else {"": data}
    found = {world: find_source(workspace, str(one)) for world, one in sources.items()}
    params = {
        "model": model_reference(workspace, model_folder),
        "worlds": {world: source_reference(workspace, source) for world, source in found.items()},
    }
    title = f"Evaluating {read_spec(model_folder).name} on {sources_text(workspace, sources)}"
    with shell_work(workspace, "evaluate", params, title):
        return evaluate(model_folder, data, workspace, split, **options)
