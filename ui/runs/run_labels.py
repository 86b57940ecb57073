"""Runs in words: where they stand, what they were trained with, how well they do."""

from collections.abc import Mapping
from typing import Any

from sneaker_core.training.run_collection import Run
from sneaker_core.workspace.jobs import JobState
from ui.kit.training_labels import RECIPE_WORDS, STATE_BADGES, STATE_WORDS

NONE = "–"
DAMAGED = "Damaged"
PART_WORDS = {"head": "the head alone", "last_stage": "last stage and head", "all": "all layers"}
# Recipe's field -> what it is called, in the order of a table.
_SETTINGS = {
    "network": "Network",
    "head": "Head",
    "init": "Started from",
    "trainable": "What learns",
    "epochs": "Epochs",
    "head_epochs": "Epochs of the head alone",
    "size": "Photo size",
    "small_size": "Photo size at first",
    "small_share": "Share of epochs with small photos",
    "final_scale": "Photos of the finished model, times as large",
    "batch": "Photos a step",
    "learning_rate": "Learning rate",
    "backbone_rate": "Rate of the lower layers",
    "warmup": "Share of warming up",
    "weight_decay": "Weight decay",
    "label_smoothing": "Label smoothing",
    "ema_decay": "Averaging of the weights",
    "class_balance_exponent": "Weight of common classes",
    "negatives_share": "Share of other things",
    "augmentation": "Changes to photos",
    "crop": "Smallest crop",
    "horizontal_flip": "Mirrored",
    "rotation": "Turned by up to",
    "color_jitter": "Change of colours",
    "random_erasing": "Blanked rectangles",
    "trivial_augment": "TrivialAugment",
    "mixup": "Mixed photos",
    "patience": "Patience",
    "val_share": "Share for validation",
    "test_share": "Share for the test",
    "seed": "Seed",
}


def setting_name(key: str) -> str:
    """What a setting of a recipe is called."""
    return _SETTINGS.get(key, key.replace("_", " ").capitalize())


def settings_in_order(keys: set[str]) -> list[str]:
    """Settings as a table lists them."""
    known = list(_SETTINGS)
    return sorted(keys, key=lambda key: (known.index(key) if key in known else len(known), key))


def setting_value(key: str, value: Any) -> str:
    """A setting's value, for people."""
    if value is None:
        return NONE
    if key == "network":
        return network_title(str(value))
    if key == "trainable":
        return PART_WORDS.get(str(value), str(value))
    if key == "init":
        # The whole path of a file says less than its name.
        return str(value).replace("\\", "/").rsplit("/", 1)[-1]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def network_title(name: str) -> str:
    """What a network is called by those who know it."""
    from sneaker_core.networks.architectures import ARCHITECTURES

    found = ARCHITECTURES.get(name)
    return found.title if found else name


def recipe_word(name: str) -> str:
    """A recipe's name, for people; a dash where it is not known."""
    return RECIPE_WORDS[name].title if name in RECIPE_WORDS else name or NONE


def state_word(run: Run) -> str:
    """Where a run stands, in a word."""
    return DAMAGED if run.is_damaged and run.state is JobState.FAILED else STATE_WORDS[run.state]


def state_icon(state: JobState) -> str:
    """For a badge."""
    return STATE_BADGES[state][1]


def state_colour(state: JobState) -> Any:
    """For a badge."""
    return STATE_BADGES[state][0]


def share(value: Any, digits: int = 1) -> str:
    """A share as a percentage: "93.3 %"; a dash where there is none."""
    return f"{100 * value:.{digits}f} %" if _is_number(value) else NONE


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and value == value


def duration(seconds: float) -> str:
    """A stretch of time, short enough for a table: "3 min 20 s"; a dash where it is not known."""
    if seconds <= 0:
        return NONE
    whole = max(1, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def photo_counts(counts: Mapping[str, int], tested: float | None) -> str:
    """Photos to learn from and to judge by: "1,200 / 130"."""
    train, test = counts.get("train"), counts.get("test", None if tested is None else int(tested))
    if train is None and test is None:
        return NONE
    return f"{NONE if train is None else f'{train:,}'} / {NONE if test is None else f'{test:,}'}"
