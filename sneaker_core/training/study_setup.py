"""Studies created and opened: what a hyperparameter search is told once, and what may join it."""

import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from math import inf
from pathlib import Path
from typing import Any

from sneaker_core.datasets.dataset_collection import source_folder
from sneaker_core.errors import BusyError, RecipeError, RunError
from sneaker_core.training.recipe import Recipe, make_recipe
from sneaker_core.training.search_space import short
from sneaker_core.training.study_collection import (
    STUDY_FILE,
    TRIALS_FILE,
    Study,
    read_study,
    storage,
    study_folder,
)
from sneaker_core.training.training_jobs import source_of
from sneaker_core.workspace.atomic_files import write_json
from sneaker_core.workspace.locks import take_lock

FORMAT = 2
MINUTES = 30.0
DEFAULT_RECIPE = "finetune"
_LOCK_PATIENCE = 60.0


def checked_minutes(minutes: float) -> float:
    """A time budget.

    Raises
    ------
    RecipeError
        It is not above 0.
    """
    if not 0 < minutes < inf:
        raise RecipeError(f"minutes is {minutes:g}; it must be above 0.")
    return minutes


def open_study(
    workspace: Path,
    dataset: str | Path,
    name: str,
    recipe_name: str | None = None,
    changes: Mapping[str, Any] | None = None,
    *,
    minutes: float | None = None,
    networks: Iterable[str] = (),
    only: Iterable[str] = (),
    others: Path | None = None,
    trial_epochs: int | None = None,
    trial_size: int | None = None,
) -> Study:
    """The study of that name, created if there is none, with valid settings.

    Parameters and errors are those of `hyperparameter_search.tune`.
    """
    folder = study_folder(workspace, name)
    source, shown = source_of(workspace, str(dataset))
    given = {
        "recipe_name": recipe_name,
        "changes": {key: value for key, value in (changes or {}).items() if value is not None},
        "networks": list(dict.fromkeys(networks)),
        "only": sorted(set(only)),
        "others": None if others is None else str(others.absolute()),
        "trial_epochs": trial_epochs,
        "trial_size": trial_size,
    }
    with locked_study(folder):
        if not (folder / STUDY_FILE).exists():
            begun = {"format": FORMAT, "dataset": shown, "source": source, **given, "created": time.time()}
            begun |= {"recipe_name": recipe_name or DEFAULT_RECIPE, "minutes": checked_minutes(minutes or MINUTES)}
            _check(begun)
            with storage(folder / TRIALS_FILE, writable=True):
                pass  # its tables are made here, where nobody else makes them too
            write_json(folder / STUDY_FILE, begun, indent=1)
        study = read_study(folder)
    if study.error and not study.source:
        raise RunError(f"{study.error} Delete the study or choose another name.")
    _compare(workspace, study, source, given)
    return study


def locked_study(folder: Path) -> AbstractContextManager[object]:
    """Keep other processes from creating the study's files.

    Raises
    ------
    BusyError
        Another process holds the lock for too long.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = take_lock(folder / "lock", _LOCK_PATIENCE)
    if lock is None:
        raise BusyError(f"Another process holds {folder} for too long; try again shortly.")
    return lock


def _check(begun: dict[str, Any]) -> None:
    """Every recipe that may come of it can be made; also gives the settings their types."""
    changes, networks = begun["changes"], begun["networks"]
    if networks and "network" in changes:
        raise RecipeError("Give the network as a setting or as networks to choose from, not both.")
    if len(networks) == 1:
        changes["network"] = networks[0]
        begun["networks"] = []
    for network in networks or [None]:
        full = make_recipe(begun["recipe_name"], {**changes, "network": network or changes.get("network")})
        short(full, begun["trial_epochs"], begun["trial_size"])
        begun["changes"] = _typed(full, changes)


def _typed(full: Recipe, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as the recipe has them; a word for the augmentation may stand beside settings that differ from it."""
    return {key: value if key == "augmentation" else getattr(full, key) for key, value in changes.items()}


def _compare(workspace: Path, study: Study, source: str, given: dict[str, Any]) -> None:
    """Who joins may leave out settings, but not have others."""
    # Not by display name: two datasets may have the same one.
    if source_folder(workspace, source) != source_folder(workspace, study.source):
        raise RunError(
            f"The study {study.name!r} searches for {study.dataset!r}, another dataset. Choose another name."
        )
    if len(given["networks"]) == 1:
        given["changes"] = {**given["changes"], "network": given["networks"].pop()}
    told = {
        "recipe_name": study.recipe_name,
        "changes": study.changes,
        "networks": list(study.networks),
        "only": list(study.only),
        "others": study.others,
        "trial_epochs": study.trial_epochs,
        "trial_size": study.trial_size,
    }
    if given["changes"]:
        given["changes"] = _typed(make_recipe(study.recipe_name, given["changes"]), given["changes"])
    for key, value in given.items():
        if value and value != told[key]:
            raise RunError(
                f"The study {study.name!r} was begun with other {key.replace('_', ' ')}; leave that out to join it, or "
                "choose another name."
            )
