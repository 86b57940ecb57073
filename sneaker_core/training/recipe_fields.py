"""Presets, augmentation strengths and field names of recipes; imports nothing heavy, so pages can use it."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

PRESETS = ("quick", "finetune", "scratch")
# Augmentation strength -> settings of a recipe.
AUGMENTATIONS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "none": {
            "crop": 1, "horizontal_flip": 0, "rotation": 0, "color_jitter": 0, "random_erasing": 0,
            "trivial_augment": 0, "mixup": 0,
        },
        "light": {
            "crop": 0.7, "horizontal_flip": 0.5, "rotation": 5, "color_jitter": 0.15, "random_erasing": 0,
            "trivial_augment": 0, "mixup": 0,
        },
        "standard": {
            "crop": 0.4, "horizontal_flip": 0.5, "rotation": 12, "color_jitter": 0.4, "random_erasing": 0.2,
            "trivial_augment": 0, "mixup": 0,
        },
        "strong": {
            "crop": 0.3, "horizontal_flip": 0.5, "rotation": 15, "color_jitter": 0.4, "random_erasing": 0.2,
            "trivial_augment": 0.5, "mixup": 0.5,
        },
    }
)  # fmt: skip
AUGMENTATION_FIELDS = tuple(AUGMENTATIONS["none"])
# Old name -> current name. Runs, models, studies and `--set` may still use the old one.
OLD_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "part": "trainable",
        "average_decay": "ema_decay",
        "rare_power": "class_balance_exponent",
        "others_share": "negatives_share",
        "mirror": "horizontal_flip",
        "colour": "color_jitter",
        "erase": "random_erasing",
        "trivial": "trivial_augment",
        "mix": "mixup",
    }
)
# (field, old value) -> current value.
_OLD_VALUES: Mapping[tuple[str, str], str] = MappingProxyType({("head", "usual"): "default"})


def current_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Recipe settings under their current names.

    Parameters
    ----------
    values : mapping
        Field -> value, under old or current names. A current name wins over an old one.
    """
    renamed = {OLD_FIELDS.get(key, key): value for key, value in values.items() if OLD_FIELDS.get(key) not in values}
    return {
        key: _OLD_VALUES.get((key, value), value) if isinstance(value, str) else value for key, value in renamed.items()
    }


def augmentation_strength(values: Mapping[str, Any]) -> str:
    """Augmentation strength of a recipe's values: a key of `AUGMENTATIONS`, or "custom" if none matches."""
    matching = (
        strength
        for strength, settings in AUGMENTATIONS.items()
        if all(values.get(key) == value for key, value in settings.items())
    )
    return next(matching, "custom")


def expanded_fields(settings: Collection[str]) -> set[str]:
    """Fields that settings stand for: "augmentation" stands for all augmentation fields."""
    fields = {OLD_FIELDS.get(name, name) for name in settings}
    return fields - {"augmentation"} | (set(AUGMENTATION_FIELDS) if "augmentation" in fields else set())
