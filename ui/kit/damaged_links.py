"""What is wrong with the damaged items and models that links name."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sneaker_core.datasets.dataset_collection import datasets_of
from sneaker_core.evaluation.evaluation_collection import evaluations_of, list_evaluations
from sneaker_core.networks.bundled_models import present_name
from sneaker_core.networks.model_registry import damaged_models
from sneaker_core.training.run_collection import runs_of
from sneaker_core.training.study_collection import studies_of
from sneaker_core.workspace.collection import Collection
from sneaker_core.workspace.collection_spec import damage_of
from sneaker_core.workspace.paths import workspace
from ui.kit.labels import evaluation_title, run_evaluation_title

_COLLECTIONS: dict[str, Callable[[Path], Collection[Any]]] = {
    "dataset": datasets_of,
    "run": runs_of,
    "search": studies_of,
    "evaluation": evaluations_of,
}


def damage_of_links(noun: str, names: Iterable[str]) -> dict[str, str]:
    """What is wrong with those of these things that are here, but damaged: name -> reason.

    Parameters
    ----------
    noun : str
        What they are: "dataset"; only items of collections and models can be damaged.
    names : iterable of str
        As the address names them.
    """
    known = _damaged(noun)
    found = {name: known.get(name) or known.get(present_name(name)) for name in names}
    return {name: reason for name, reason in found.items() if reason is not None}


def _damaged(noun: str) -> Mapping[str, str]:
    """What is wrong with everything of one kind that is damaged: name in links -> reason."""
    if noun == "model":
        return {name: model.problem for name, model in damaged_models(workspace()).items()}
    if noun not in _COLLECTIONS:
        return {}
    damaged = _damaged_items(_COLLECTIONS[noun](workspace()))
    if noun == "evaluation":
        runs = _damaged_items(runs_of(workspace()))
        damaged |= {run_evaluation_title(name): reason for name, reason in runs.items()}
        damaged |= {evaluation_title(one): one.problem for one in list_evaluations(workspace()) if one.problem}
    return damaged


def _damaged_items(items: Collection[Any]) -> dict[str, str]:
    """By display name, and by id for links that name that."""
    found = {folder: (name, damage_of(items.spec, folder)) for folder, name in items.names().items()}
    by_id = {folder.name: reason for folder, (_, reason) in found.items() if reason is not None}
    return by_id | {name: reason for name, reason in found.values() if reason is not None}
