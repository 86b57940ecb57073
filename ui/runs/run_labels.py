"""Labels of runs: states, settings and results."""

from collections.abc import Mapping
from typing import Any

from sneaker_core.number_text import percent
from sneaker_core.training.run_collection import Run
from sneaker_core.workspace.jobs import JobState
from ui.kit.labels import DAMAGED, RECIPE_LABELS, STATE_LABELS, StateLabel

NONE = "–"
TRAINABLE_WORDS = {"head": "head only", "last_stage": "last stage and head", "all": "all layers"}
# Field of a recipe -> label, in the order of a table.
_SETTINGS = {
    "name": "Recipe",
    "network": "Network",
    "head": "Head",
    "init": "Pretrained weights",
    "trainable": "Trainable layers",
    "epochs": "Epochs",
    "head_epochs": "Head-only epochs",
    "size": "Photo size",
    "small_size": "Initial photo size",
    "small_share": "Share of epochs with small photos",
    "final_scale": "Photo size factor of the finished model",
    "batch": "Batch size",
    "learning_rate": "Learning rate",
    "backbone_rate": "Backbone learning rate factor",
    "warmup": "Warm-up share",
    "weight_decay": "Weight decay",
    "label_smoothing": "Label smoothing",
    "ema_decay": "EMA decay",
    "class_balance_exponent": "Class-balancing exponent",
    "negatives_share": "Share of negatives",
    "footwear_share": "Share of other footwear",
    "augmentation": "Augmentation",
    "crop": "Smallest crop",
    "horizontal_flip": "Horizontal flip",
    "rotation": "Rotation (degrees)",
    "color_jitter": "Color jitter",
    "random_erasing": "Random erasing",
    "trivial_augment": "TrivialAugment",
    "background_swap": "Background swap",
    "mixup": "CutMix and mixup",
    "patience": "Early stopping (epochs)",
    "val_share": "Validation share",
    "test_share": "Test share",
    "seed": "Seed",
}


def setting_name(key: str) -> str:
    """Label of a recipe setting."""
    return _SETTINGS.get(key, key.replace("_", " ").capitalize())


def settings_in_order(keys: set[str]) -> list[str]:
    """Settings in the order of a table."""
    known = list(_SETTINGS)
    return sorted(keys, key=lambda key: (known.index(key) if key in known else len(known), key))


def setting_value(key: str, value: Any) -> str:
    """Text of a setting's value."""
    if value is None:
        return NONE
    if key == "network":
        return network_title(str(value))
    if key == "trainable":
        return TRAINABLE_WORDS.get(str(value), str(value))
    if key == "init":
        # Only the name of a file, not its path.
        return str(value).replace("\\", "/").rsplit("/", 1)[-1]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def network_title(name: str) -> str:
    """Title of a network."""
    from sneaker_core.networks.architectures import ARCHITECTURES

    found = ARCHITECTURES.get(name)
    return found.title if found else name


def recipe_word(name: str) -> str:
    """Title of a recipe; a dash if unknown."""
    return RECIPE_LABELS[name].title if name in RECIPE_LABELS else name or NONE


def origin(run: Run) -> str:
    """How a run's model was made: the title of the recipe, or what a copy was made for."""
    if run.installed is not None:
        return "Installed from a file"
    if run.taught_from:
        return "Retrained with corrections" if run.is_retrained else "Taught by example"
    return recipe_word(run.recipe_name)


def state_label(run: Run) -> StateLabel:
    """Label of a run's state."""
    return DAMAGED if run.is_damaged and run.state is JobState.FAILED else STATE_LABELS[run.state]


def share(value: Any, digits: int = 1) -> str:
    """A share as a percentage: "93.3%"; a dash if there is none."""
    return percent(float(value), digits) if _is_number(value) else NONE


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and value == value


def photo_counts(counts: Mapping[str, int], tested: float | None) -> str:
    """Training and test photos: "1,200 / 130"."""
    train, test = counts.get("train"), counts.get("test", None if tested is None else int(tested))
    if train is None and test is None:
        return NONE
    return f"{NONE if train is None else f'{train:,}'} / {NONE if test is None else f'{test:,}'}"
