"""Create and open studies: check the settings of a new study, and of a process that joins one."""

import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

from sneaker_core.datasets.dataset_collection import source_folder
from sneaker_core.errors import BusyError, RecipeError, RunError
from sneaker_core.training.recipe import Recipe, make_recipe
from sneaker_core.training.recipe_fields import OLD_FIELDS, expanded_fields
from sneaker_core.training.search_space import trial_recipe, with_values
from sneaker_core.training.study_collection import STUDY_FILE, Study, list_studies, open_study_folder, read_study
from sneaker_core.training.study_trials import TRIALS_FILE, storage
from sneaker_core.training.training_jobs import source_of
from sneaker_core.workspace.atomic_files import write_json
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.locks import take_lock
from sneaker_core.workspace.read_only import check_changeable

FORMAT = 2
MINUTES = 30.0
DEFAULT_RECIPE = "finetune"
_LOCK_PATIENCE = 60.0


def checked_minutes(minutes: float) -> float:
    """Check a time budget.

    Raises
    ------
    RecipeError
        It is not above 0.
    """
    if not 0 < minutes < inf:
        raise RecipeError(f"minutes is {minutes:g}; it must be above 0.")
    return minutes


def chosen_recipe(workspace: Path, name: str, preset: str | None, settings: Mapping[str, Any]) -> Recipe | None:
    """Recipe that a user asks for; None to use the study's own.

    Parameters
    ----------
    workspace : Path
    name : str
        Name of the study.
    preset : str, optional
        Preset to start from; by default that of the study, or "finetune" for a new one.
    settings : mapping
        Settings that differ from the preset.
    """
    if preset is None and not settings:
        return None
    if preset is None:
        preset = next((study.recipe_name for study in list_studies(workspace) if study.name == name), None)
    return make_recipe(preset or DEFAULT_RECIPE, settings)


def open_study(
    workspace: Path,
    dataset: str | Path,
    name: str,
    recipe: Recipe | None = None,
    *,
    fixed: Iterable[str] | None = None,
    minutes: float | None = None,
    networks: Iterable[str] = (),
    only: Iterable[str] = (),
    negatives: Path | None = None,
    trial_epochs: int | None = None,
    trial_size: int | None = None,
) -> Study:
    """The study with that name, created if there is none, with valid settings.

    Parameters and errors are those of `hyperparameter_search.run_search`.
    """
    folder = open_study_folder(workspace, name)
    source, shown = source_of(workspace, str(dataset))
    wanted = _Wanted(
        recipe=recipe,
        preset=None if recipe is None else recipe.name,
        fixed=_fixed_settings(recipe, fixed),
        networks=list(dict.fromkeys(networks)),
        only=sorted(set(map(clean_name, only))),
        negatives=None if negatives is None else str(negatives.absolute()),
        trial_epochs=trial_epochs,
        trial_size=trial_size,
    ).with_single_network()
    with locked_study(folder):
        if not (folder / STUDY_FILE).exists():
            record = {
                "format": FORMAT,
                "dataset": shown,
                "source": source,
                **wanted.checked(),
                "minutes": checked_minutes(minutes or MINUTES),
                "created": time.time(),
            }
            with storage(folder / TRIALS_FILE, writable=True):
                pass  # creates its tables while no other process does
            write_json(folder / STUDY_FILE, record, indent=1)
        study = read_study(folder)
    if study.error and not study.source:
        raise RunError(f"{study.error} Delete the study or choose another name.")
    # Not by display name: two datasets may have the same one.
    if source_folder(workspace, source) != source_folder(workspace, study.source):
        raise RunError(f"The study {study.name!r} uses another dataset, {study.dataset!r}. Choose another name.")
    wanted.check_joins(study)
    return study


def locked_study(folder: Path) -> AbstractContextManager[object]:
    """Keep other processes from creating the study's files.

    Raises
    ------
    BusyError
        Another process holds the lock for too long.
    """
    check_changeable()
    folder.mkdir(parents=True, exist_ok=True)
    lock = take_lock(folder / "lock", _LOCK_PATIENCE)
    if lock is None:
        raise BusyError(f"Another process is using {folder}. Try again in a moment.")
    return lock


def _fixed_settings(recipe: Recipe | None, fixed: Iterable[str] | None) -> list[str]:
    """Settings that are not searched; by default all that differ from the preset."""
    if recipe is None:
        return []
    names = recipe.changes_from_preset() if fixed is None else [OLD_FIELDS.get(name, name) for name in fixed]
    return sorted(set(names))


@dataclass(frozen=True)
class _Wanted:
    """Settings that a process asks for; empty ones are left to the study."""

    recipe: Recipe | None
    preset: str | None
    fixed: list[str]
    networks: list[str]
    only: list[str]
    negatives: str | None
    trial_epochs: int | None
    trial_size: int | None

    def with_single_network(self) -> "_Wanted":
        """One network to choose from is the same as a fixed network."""
        if self.networks and "network" in self.fixed:
            raise RecipeError("Give the network either as a setting or as networks to choose from, not both.")
        if len(self.networks) != 1:
            return self
        base = self.recipe or make_recipe(DEFAULT_RECIPE)
        recipe = with_values(base, self.fixed, {"network": self.networks[0]})
        return replace(self, recipe=recipe, fixed=sorted([*self.fixed, "network"]), networks=[])

    def checked(self) -> dict[str, Any]:
        """The record of a new study.

        Raises
        ------
        RecipeError
            A recipe that it may lead to is invalid.
        """
        recipe = self.recipe or make_recipe(DEFAULT_RECIPE)
        for network in self.networks or [recipe.network]:
            full = with_values(recipe, self.fixed, {"network": network})
            trial_recipe(full, self.trial_epochs, self.trial_size)
        values = asdict(self)
        del values["preset"]
        return {**values, "recipe": recipe.to_dict()}

    def check_joins(self, study: Study) -> None:
        """Check that a process that joins a study asks for the same settings.

        Raises
        ------
        RunError
            A setting differs.
        """
        base = Recipe.from_dict(study.recipe)
        own = [] if self.recipe is None else [getattr(self.recipe, field) for field in expanded_fields(self.fixed)]
        same = [getattr(base, field) for field in expanded_fields(self.fixed)]
        differs = {
            "recipe": self.preset is not None and self.preset != study.recipe_name,
            "settings": bool(self.fixed) and (set(self.fixed) != set(study.fixed) or own != same),
            "networks": bool(self.networks) and self.networks != list(study.networks),
            "classes": bool(self.only) and self.only != list(study.only),
            "negatives": bool(self.negatives) and self.negatives != study.negatives,
            "trial epochs": bool(self.trial_epochs) and self.trial_epochs != study.trial_epochs,
            "trial size": bool(self.trial_size) and self.trial_size != study.trial_size,
        }
        for what, is_different in differs.items():
            if is_different:
                raise RunError(
                    f"The study {study.name!r} was started with different {what}. Leave that out to join it, or choose "
                    "another name."
                )
